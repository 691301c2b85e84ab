/* Many children, eight at a time: each executes this program again; none is lost, nothing stays behind.
 * The number is the argument; a few without one. */
#include "sample.h"
#include <dirent.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { FEW = 24, AT_ONCE = 8 };
extern char **environ;

/* How many names of decimal digits a folder has. */
static int numbers(const char *folder)
{
    DIR *names = opendir(folder);
    struct dirent *each;
    int count = 0;
    while ((each = readdir(names)))
        count += each->d_name[0] >= '0' && each->d_name[0] <= '9';
    closedir(names);
    return count;
}

static pid_t begin(int number)
{
    char status[16];
    char *argv[] = { "many", "exit", status, NULL };
    pid_t child;
    snprintf(status, sizeof status, "%d", number % 100);
    if (number % 3 == 0)
        return posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, environ) ? -1 : child;
    child = fork();
    if (!child) {
        if (number % 3 == 1)
            _exit(number % 100);
        execv("/proc/self/exe", argv);
        _exit(111);
    }
    return child;
}

int main(int argc, char **argv)
{
    if (argc > 2)
        return atoi(argv[2]);
    int wanted = argc > 1 ? atoi(argv[1]) : FEW, begun = 0, ended = 0, wrong = 0, strange = 0;
    pid_t running[AT_ONCE] = { 0 };
    int expected[AT_ONCE], files = numbers("/proc/self/fd"), left = 0;
    pid_t last[64] = { 0 };
    while (ended < wanted) {
        for (int i = 0; i < AT_ONCE; i++)
            if (!running[i] && begun < wanted) {
                expected[i] = begun % 100;
                running[i] = begin(begun++);
                wrong += running[i] <= 0;
                last[begun % 64] = running[i];
            }
        int status, found = 0;
        pid_t child = wait(&status);
        for (int i = 0; i < AT_ONCE; i++)
            if (running[i] == child) {
                found = 1;
                running[i] = 0;
                wrong += !WIFEXITED(status) || WEXITSTATUS(status) != expected[i];
            }
        strange += !found;
        ended++;
        if (child < 0)
            break;
    }
    CHECK("all ended as they should", begun == wanted && ended == wanted && !wrong && !strange);
    FAILS("no child is left", wait(NULL), ECHILD);
    CHECK("no descriptor is left", numbers("/proc/self/fd") == files);
    for (int i = 0; i < 64; i++)
        left += last[i] > 0 && kill(last[i], 0) == 0;
    CHECK("no process is left", !left);
    return finish();
}
