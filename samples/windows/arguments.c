/* The words of the command line, and the command line itself. */
#include <stdio.h>
#include <windows.h>

int main(int argc, char **argv) {
    const char *line = GetCommandLineA();
    for (int k = 1; k < argc; k++)
        printf("[%s]\n", argv[k]);
    for (line++; *line && *line != ' '; line++)
        ;
    printf("%s\n", line);
    return argc;
}
