/* A file written and read again in blocks of 4 KiB, or of the size that the second argument says. */
#include "bench.h"
#include <fcntl.h>

int main(int argc, char **argv)
{
    static unsigned char block[65536];
    long count = repeats(argc, argv, 20000), size = argc > 2 ? atol(argv[2]) : 4096;
    uint64_t sum = 0;
    int fd = open("bench-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    unlink("bench-file");
    for (long i = 0; i < count; i++) {
        block[i % size] = (unsigned char)i;
        if (write(fd, block, size) != size || (i % 256 == 255 && lseek(fd, 0, SEEK_SET)))
            return 1;
    }
    lseek(fd, 0, SEEK_SET);
    for (long i = 0; i < count; i++) {
        if (read(fd, block, size) != size && lseek(fd, 0, SEEK_SET))
            return 1;
        sum += block[i % size];
    }
    return checksum(sum);
}
