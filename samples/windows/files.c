/* Streams: text and binary, places in them, errors. */
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

static void dump(const char *name) {
    FILE *file = fopen(name, "rb");
    int unit;
    while ((unit = fgetc(file)) != EOF)
        printf("%02x ", unit);
    printf("end %d error %d\n", feof(file) != 0, ferror(file));
    fclose(file);
}

int main(void) {
    char line[32];
    FILE *file = fopen("text.txt", "w");
    fprintf(file, "one\ntwo\n");
    printf("%ld\n", ftell(file));
    fclose(file);
    dump("text.txt");

    file = fopen("text.txt", "r");
    printf("%s", fgets(line, sizeof line, file));
    printf("at %ld\n", ftell(file));
    ungetc('X', file);
    printf("%s", fgets(line, sizeof line, file));
    printf("%d %d\n", fgets(line, sizeof line, file) == NULL, feof(file) != 0);
    fseek(file, 5, SEEK_SET);
    printf("%c %d\n", fgetc(file), feof(file));
    fclose(file);

    file = fopen("text.txt", "a+b");
    fwrite("\x1a end", 1, 5, file);
    rewind(file);
    printf("%zu\n", fread(line, 1, sizeof line, file));
    fclose(file);
    dump("text.txt");
    file = fopen("text.txt", "r");
    int count = 0;
    while (fgetc(file) != EOF)
        count++;
    printf("%d before ^Z\n", count);
    fclose(file);

    printf("%d %d\n", fopen("no\\such\\file", "r") == NULL, errno == ENOENT);
    printf("%d\n", remove("text.txt"));
    DWORD done = 1;
    printf("%d %lu\n", WriteFile((HANDLE)0x1234, line, 1, &done, NULL), GetLastError());
    printf("%lu\n", GetFileType((HANDLE)0x1234));
    fflush(stdout);
    _setmode(_fileno(stdout), _O_BINARY);
    printf("done\n");
    return 0;
}
