/* What is no terminal says so; a pseudo-terminal, where one can be had, is one. */
#include "sample.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

int main(void)
{
    int null = open("/dev/null", O_RDWR), tube[2];
    struct termios settings;
    struct winsize size;
    FAILS("isatty of /dev/null", isatty(null) - 1, ENOTTY);
    FAILS("tcgetattr of /dev/null", tcgetattr(null, &settings), ENOTTY);
    pipe(tube);
    FAILS("tcgetattr of a pipe", tcgetattr(tube[0], &settings), ENOTTY);
    FAILS("TIOCGWINSZ of a pipe", ioctl(tube[0], TIOCGWINSZ, &size), ENOTTY);
    FAILS("tcgetattr of nothing", tcgetattr(999, &settings), EBADF);
    FAILS("ioctl of nonsense", ioctl(tube[0], 0x12345678, 0), ENOTTY);
    FAILS("ttyname of a pipe", ttyname(tube[0]) ? 0 : -1, ENOTTY);
    memset(&settings, 0, sizeof settings);
    CHECK("cfmakeraw", (cfmakeraw(&settings), (settings.c_lflag & (ECHO | ICANON)) == 0 && settings.c_cc[VMIN] == 1));
    return finish();
}
