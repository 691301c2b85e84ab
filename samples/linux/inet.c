/* AF_INET over the loopback interface: control messages, the error queue, filters, a fast open. Needs a network. */

#include "sample.h"

#include <arpa/inet.h>
#include <time.h> /* before errqueue.h, which needs struct timespec */
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef SO_LOCK_FILTER
#define SO_LOCK_FILTER 44
#endif

static const int yes = 1;

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return name;
}

/* A socket bound to a free port of 127.0.0.1. */
static int bound(int type, struct sockaddr_in *name) {
    int fd = socket(AF_INET, type, 0);
    socklen_t size = sizeof *name;
    *name = loopback(0);
    if (fd < 0 || bind(fd, (void *)name, size) || getsockname(fd, (void *)name, &size))
        say("FAIL no socket: %s", error_name(errno));
    return fd;
}

/* Receive with room for control messages; tells the message's name and flags. */
static int take(int fd, char *text, size_t room, char *control, struct msghdr *message, struct sockaddr_in *from, int flags) {
    static struct iovec part;
    part = (struct iovec){text, room};
    memset(text, 0, room);
    memset(control, 0, 512);
    *message = (struct msghdr){.msg_name = from, .msg_namelen = sizeof *from, .msg_iov = &part, .msg_iovlen = 1};
    message->msg_control = control;
    message->msg_controllen = 512;
    return recvmsg(fd, message, flags);
}

static void *find(struct msghdr *message, int level, int type, size_t size) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == level && c->cmsg_type == type && c->cmsg_len == CMSG_LEN(size))
            return CMSG_DATA(c);
    return 0;
}

static void beside(void) {
    struct sockaddr_in server, client, from;
    struct msghdr message;
    char text[32], control[512];
    int to = bound(SOCK_DGRAM, &server), by = bound(SOCK_DGRAM, &client), tos = 0x10, ttl = 7;
    CHECK("options", !setsockopt(to, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes) &&
                         !setsockopt(to, IPPROTO_IP, IP_RECVTTL, &yes, sizeof yes) &&
                         !setsockopt(to, IPPROTO_IP, IP_RECVTOS, &yes, sizeof yes) &&
                         !setsockopt(to, IPPROTO_IP, IP_RECVORIGDSTADDR, &yes, sizeof yes) &&
                         !setsockopt(to, SOL_SOCKET, SO_TIMESTAMP, &yes, sizeof yes) &&
                         !setsockopt(by, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl));
    char marks[CMSG_SPACE(sizeof tos)] = {0};
    struct iovec part = {"marked", 6};
    struct msghdr sent = {.msg_name = &server, .msg_namelen = sizeof server, .msg_iov = &part, .msg_iovlen = 1};
    sent.msg_control = marks;
    sent.msg_controllen = sizeof marks;
    struct cmsghdr *c = CMSG_FIRSTHDR(&sent);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_TOS;
    c->cmsg_len = CMSG_LEN(sizeof tos);
    memcpy(CMSG_DATA(c), &tos, sizeof tos);
    CHECK("sent", sendmsg(by, &sent, 0) == 6);
    int count = take(to, text, sizeof text, control, &message, &from, 0);
    say("%d bytes '%s', flags %d, from the client: %d", count, text, message.msg_flags,
        from.sin_port == client.sin_port && from.sin_addr.s_addr == client.sin_addr.s_addr);
    struct in_pktinfo *info = find(&message, IPPROTO_IP, IP_PKTINFO, sizeof *info);
    CHECK("packet information", info && info->ipi_ifindex == 1 && info->ipi_addr.s_addr == server.sin_addr.s_addr);
    int *number = find(&message, IPPROTO_IP, IP_TTL, sizeof *number);
    CHECK("time to live", number && *number == ttl);
    unsigned char *kind = find(&message, IPPROTO_IP, IP_TOS, 1);
    CHECK("type of service", kind && *kind == tos);
    struct sockaddr_in *target = find(&message, IPPROTO_IP, IP_ORIGDSTADDR, sizeof *target);
    CHECK("original destination", target && target->sin_family == AF_INET && target->sin_port == server.sin_port);
    struct timeval *when = find(&message, SOL_SOCKET, SCM_TIMESTAMP, sizeof *when), now;
    gettimeofday(&now, 0);
    CHECK("time", when && now.tv_sec - when->tv_sec >= 0 && now.tv_sec - when->tv_sec < 100 && when->tv_usec < 1000000);
    int wanted = 1 << 3 | 1 << 4; /* SOF_TIMESTAMPING_RX_SOFTWARE, SOF_TIMESTAMPING_SOFTWARE */
    CHECK("another time", !setsockopt(to, SOL_SOCKET, SO_TIMESTAMPING, &wanted, sizeof wanted));
    CHECK("sent", sendto(by, "again", 5, 0, (void *)&server, sizeof server) == 5);
    take(to, text, sizeof text, control, &message, &from, 0);
    struct timespec *times = find(&message, SOL_SOCKET, SCM_TIMESTAMPING, 3 * sizeof *times);
    CHECK("three times", times && now.tv_sec - times->tv_sec < 100 && times->tv_nsec < 1000000000 && !times[1].tv_sec);
    close(to), close(by);
}

static void segments(void) {
    struct sockaddr_in server;
    char text[32], data[] = "onetwothree", marks[CMSG_SPACE(sizeof(uint16_t))] = {0};
    int to = bound(SOCK_DGRAM, &server), by = socket(AF_INET, SOCK_DGRAM, 0);
    struct iovec part = {data, 11};
    struct msghdr sent = {.msg_name = &server, .msg_namelen = sizeof server, .msg_iov = &part, .msg_iovlen = 1};
    sent.msg_control = marks;
    sent.msg_controllen = sizeof marks;
    struct cmsghdr *c = CMSG_FIRSTHDR(&sent);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    *(uint16_t *)CMSG_DATA(c) = 3;
    CHECK("in segments", sendmsg(by, &sent, 0) == 11);
    for (int k = 0; k < 4; k++) {
        memset(text, 0, sizeof text);
        int count = recv(to, text, sizeof text, 0);
        say("segment of %d: %s", count, text);
    }
    close(to), close(by);
}

static void errors(void) {
    struct sockaddr_in closed, from;
    struct msghdr message;
    char text[32], control[512];
    close(bound(SOCK_DGRAM, &closed));
    int fd = socket(AF_INET, SOCK_DGRAM, 0), error = 0;
    socklen_t size = sizeof error;
    CHECK("errors wanted", !setsockopt(fd, IPPROTO_IP, IP_RECVERR, &yes, sizeof yes));
    FAILS("no error yet", take(fd, text, sizeof text, control, &message, &from, MSG_ERRQUEUE), EAGAIN);
    CHECK("to a closed port", sendto(fd, "lost", 4, 0, (void *)&closed, sizeof closed) == 4);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    CHECK("POLLERR", poll(&ready, 1, 5000) == 1 && ready.revents & POLLERR);
    CHECK("SO_ERROR", !getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) && error == ECONNREFUSED);
    int count = take(fd, text, sizeof text, control, &message, &from, MSG_ERRQUEUE);
    say("%d bytes '%s', MSG_ERRQUEUE %d, to the closed port: %d", count, text, !!(message.msg_flags & MSG_ERRQUEUE),
        from.sin_port == closed.sin_port);
    struct {
        struct sock_extended_err error;
        struct sockaddr_in offender;
    } *told = find(&message, IPPROTO_IP, IP_RECVERR, sizeof *told);
    if (CHECK("an extended error", told != 0))
        say("ECONNREFUSED %d, origin %d, type %d, code %d, offender is 127.0.0.1: %d", told->error.ee_errno == ECONNREFUSED,
            told->error.ee_origin, told->error.ee_type, told->error.ee_code,
            told->offender.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && told->offender.sin_family == AF_INET);
    FAILS("once", take(fd, text, sizeof text, control, &message, &from, MSG_ERRQUEUE), EAGAIN);
    close(fd);
}

static void filters(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8), /* the first byte behind the UDP header */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'k', 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0x10000),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {4, code}, bad = {1, code}, none = {0, code};
    struct sockaddr_in server;
    char text[8] = {0};
    int to = bound(SOCK_DGRAM, &server), by = socket(AF_INET, SOCK_DGRAM, 0);
    FAILS("no end", setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, &bad, sizeof bad), EINVAL);
    FAILS("empty", setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, &none, sizeof none), EINVAL);
    FAILS("short", setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program - 1), EINVAL);
    CHECK("attached", !setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
    sendto(by, "drop", 4, 0, (void *)&server, sizeof server);
    sendto(by, "keep", 4, 0, (void *)&server, sizeof server);
    CHECK("the kept one", recv(to, text, sizeof text, 0) == 4 && !strcmp(text, "keep"));
    struct sock_filter copy[8];
    socklen_t size = 0;
    CHECK("how long", !getsockopt(to, SOL_SOCKET, SO_GET_FILTER, 0, &size) && size == 4);
    size = 8;
    CHECK("the same", !getsockopt(to, SOL_SOCKET, SO_GET_FILTER, copy, &size) && size == 4 && !memcmp(copy, code, sizeof code));
    size = 2;
    FAILS("no room", getsockopt(to, SOL_SOCKET, SO_GET_FILTER, copy, &size), EINVAL);
    CHECK("locked", !setsockopt(to, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof yes));
    FAILS("not taken away", setsockopt(to, SOL_SOCKET, SO_DETACH_FILTER, &yes, sizeof yes), EPERM);
    FAILS("nothing to take away", setsockopt(by, SOL_SOCKET, SO_DETACH_FILTER, &yes, sizeof yes), ENOENT);
    close(to), close(by);
}

static void fast(void) {
    struct sockaddr_in server;
    char text[32] = {0};
    int listener = bound(SOCK_STREAM, &server), backlog = 5;
    listen(listener, 5);
    CHECK("fast opens taken", !setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &backlog, sizeof backlog));
    for (int k = 0; k < 2; k++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        ssize_t sent = sendto(fd, "first flight", 12, MSG_FASTOPEN, (void *)&server, sizeof server);
        if (sent < 0 && errno == EOPNOTSUPP) /* net.ipv4.tcp_fastopen forbids it */
            sent = connect(fd, (void *)&server, sizeof server) ? -1 : send(fd, "first flight", 12, 0);
        int peer = accept(listener, 0, 0);
        CHECK("opened with data", sent == 12 && recv(peer, text, 12, MSG_WAITALL) == 12);
        shutdown(fd, SHUT_WR);
        say("sent %d, got '%s'", (int)sent, text);
        close(fd), close(peer);
    }
    close(listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ssize_t sent = sendto(fd, "nobody", 6, MSG_FASTOPEN, (void *)&server, sizeof server);
    int why = errno;
    CHECK("nobody listens", sent == -1 && (why == ECONNREFUSED || why == EOPNOTSUPP));
    close(fd);
}

int main(void) {
    beside();
    segments();
    errors();
    filters();
    fast();
    return finish();
}
