/* What a program is given: arguments, environment, auxiliary vector, /proc/self. */
#include "sample.h"
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/stat.h>

extern char **environ;

static char text[65536];

static long slurp(const char *name)
{
    long used = 0, got;
    int fd = open(name, O_RDONLY);
    if (fd < 0)
        return -1;
    while ((got = read(fd, text + used, sizeof text - 1 - used)) > 0)
        used += got;
    text[used] = 0;
    close(fd);
    return used;
}

static void auxiliary(void)
{
    ElfW(Phdr) *headers = (void *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM), loads = 0, entry_inside = 0, base = 0;
    unsigned char *random = (void *)getauxval(AT_RANDOM);
    CHECK("AT_PAGESZ", (long)getauxval(AT_PAGESZ) == sysconf(_SC_PAGESIZE));
    CHECK("AT_PHENT", getauxval(AT_PHENT) == sizeof *headers);
    for (unsigned long i = 0; i < count; i++)
        if (headers[i].p_type == PT_PHDR)
            base = (unsigned long)headers - headers[i].p_vaddr;
    for (unsigned long i = 0; i < count; i++) {
        unsigned long start = base + headers[i].p_vaddr, entry = getauxval(AT_ENTRY);
        loads += headers[i].p_type == PT_LOAD;
        entry_inside += headers[i].p_type == PT_LOAD && (headers[i].p_flags & PF_X) && entry >= start &&
                        entry < start + headers[i].p_memsz;
    }
    CHECK("AT_PHDR shows the program headers", loads >= 2);
    CHECK("AT_ENTRY lies in the code", entry_inside == 1);
    CHECK("AT_RANDOM is no row of zeroes", random && memcmp(random, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
    CHECK("ids", getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid() && getauxval(AT_GID) == getgid() &&
          getauxval(AT_EGID) == getegid());
    CHECK("AT_SECURE", getauxval(AT_SECURE) == 0);
    CHECK("AT_CLKTCK", getauxval(AT_CLKTCK) == 100);
    CHECK("AT_PLATFORM or nothing", !getauxval(AT_PLATFORM) || strlen((char *)getauxval(AT_PLATFORM)) > 0);
    struct stat one, two;
    char *name = (char *)getauxval(AT_EXECFN);
    CHECK("AT_EXECFN names this program", name && stat(name, &one) == 0 && stat("/proc/self/exe", &two) == 0 &&
          one.st_ino == two.st_ino && one.st_size == two.st_size);
}

static void arguments(int argc, char **argv)
{
    long length = 0;
    CHECK("argv ends with NULL", argv[argc] == NULL);
    CHECK("environ follows argv", environ == argv + argc + 1);
    CHECK("the strings lie in a row", argc < 2 || argv[1] == argv[0] + strlen(argv[0]) + 1);
    for (int i = 0; i < argc; i++)
        length += strlen(argv[i]) + 1;
    CHECK("/proc/self/cmdline", slurp("/proc/self/cmdline") == length && !strcmp(text, argv[0]));
    long environment = 0;
    for (char **each = environ; *each; each++)
        environment += strlen(*each) + 1;
    CHECK("/proc/self/environ", slurp("/proc/self/environ") == environment);
    CHECK("the stack is aligned", ((uintptr_t)argv - sizeof(long)) % 8 == 0);
}

/* Whether a line of /proc/self/maps that holds the address also holds the permissions and the name. */
static int map_line(void *address, const char *permissions, const char *name)
{
    for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char *rest, *end = strchr(line, '\n');
        unsigned long long low = strtoull(line, &rest, 16), high = strtoull(rest + 1, &rest, 16);
        if ((uintptr_t)address < low || (uintptr_t)address >= high)
            continue;
        char *found = name ? strstr(line, name) : rest;
        return !strncmp(rest + 1, permissions, 4) && found && found < end;
    }
    return 0;
}

static int data = 5;

static void proc(char **argv)
{
    char name[512] = { 0 }, *base = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    int local;
    long got = readlink("/proc/self/exe", name, sizeof name - 1);
    CHECK("/proc/self/exe", got > 0 && name[0] == '/' && !strcmp(strrchr(name, '/') + 1, base));
    CHECK("/proc/self/maps", slurp("/proc/self/maps") > 0);
    CHECK("maps: code", map_line((void *)(uintptr_t)getauxval(AT_ENTRY), "r-xp", base));
    CHECK("maps: data", map_line(&data, "rw-p", NULL));
    CHECK("maps: stack", map_line(&local, "rw-p", "[stack]"));
    CHECK("/proc/self/status", slurp("/proc/self/status") > 0 && strstr(text, "Name:\t") == text && strstr(text, "\nPid:\t") &&
          atoi(strstr(text, "\nPid:\t") + 6) == getpid() && strstr(text, "\nVmSize:\t"));
    CHECK("/proc/self/stat", slurp("/proc/self/stat") > 0 && atoi(text) == getpid() && strstr(text, ") R "));
    form_into(name, "/proc/%d/stat", (int)getpid());
    CHECK("/proc/PID/stat", slurp(name) > 0 && atoi(text) == getpid());
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    int three = 0;
    while (folder && (entry = readdir(folder)))
        three += !strcmp(entry->d_name, "0") + !strcmp(entry->d_name, "1") + !strcmp(entry->d_name, "2");
    CHECK("/proc/self/fd", three >= 1);
    if (folder)
        closedir(folder);
    int fd = open("/dev/null", O_RDONLY);
    form_into(name, "/proc/self/fd/%d", fd);
    char target[64] = { 0 };
    CHECK("/proc/self/fd/N", readlink(name, target, 63) == 9 && !strcmp(target, "/dev/null"));
    int again = open(name, O_RDONLY);
    CHECK("which can be opened", again >= 0);
    close(fd), close(again);
    CHECK("/proc/cpuinfo, /proc/meminfo", slurp("/proc/cpuinfo") > 0 && slurp("/proc/meminfo") > 0 && strstr(text, "MemTotal:"));
    FAILS("/proc/self/nothing", open("/proc/self/nothing", O_RDONLY), ENOENT);
    char *here = getcwd(NULL, 0);
    memset(name, 0, sizeof name);
    CHECK("/proc/self/cwd", readlink("/proc/self/cwd", name, sizeof name - 1) > 0 && !strcmp(name, here));
    free(here);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    auxiliary();
    proc(argv);
    CHECK("setenv, getenv", setenv("SAMPLE", "a value", 1) == 0 && !strcmp(getenv("SAMPLE"), "a value"));
    return finish();
}
