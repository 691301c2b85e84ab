/* Atomic operations where another thread may run between any two instructions, or another process meanwhile. */
#include "sample.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { THREADS = 4, ROUNDS = 40000, NODES = 8, PUSHES = 15000, SHARED_ROUNDS = 50000 };

static _Atomic uint8_t bytes;
static _Atomic uint16_t halves;
static _Atomic uint32_t words, swapped, bits;
static _Atomic uint64_t longs;

static void *counting(void *argument)
{
    uint32_t sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        bytes++;
        halves += 3;
        words++;
        longs += 0x100000001;
        atomic_fetch_xor(&bits, 1u << (intptr_t)argument);
        sum += atomic_exchange(&swapped, 1);
        uint32_t seen = words;
        while (!atomic_compare_exchange_weak(&words, &seen, seen + 1))
            ;
    }
    return (void *)(intptr_t)sum;
}

/* A stack of nodes whose head carries a number against ABA: each node may be in it once. */
static struct node { _Atomic uint32_t next, owners; } nodes[NODES + 1];
static _Atomic uint64_t head;
static atomic_int twice;

static void push(uint32_t node)
{
    uint64_t old = head;
    do
        nodes[node].next = (uint32_t)old;
    while (!atomic_compare_exchange_weak(&head, &old, ((old >> 32) + 1) << 32 | node));
}

static uint32_t pop(void)
{
    uint64_t old = head;
    do
        if (!(uint32_t)old)
            return 0;
    while (!atomic_compare_exchange_weak(&head, &old, ((old >> 32) + 1) << 32 | nodes[(uint32_t)old].next));
    return (uint32_t)old;
}

static void *stacking(UNUSED void *argument)
{
    for (int i = 0; i < PUSHES; i++) {
        uint32_t node = pop();
        if (!node)
            continue;
        if (nodes[node].owners++)
            twice++;
        nodes[node].owners--;
        push(node);
    }
    return NULL;
}

static void run(void *(*work)(void *), intptr_t results[THREADS])
{
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i))
            say("FAIL pthread_create");
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        results[i] = (intptr_t)result;
    }
}

/* A thread that never waits must not keep others from running. */
static atomic_int go, spinning;

static void *spinning_until_told(UNUSED void *argument)
{
    spinning = 1;
    while (!go)
        ;
    return NULL;
}

static int others_run_beside_a_loop(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, spinning_until_told, NULL);
    while (!spinning)
        ;
    usleep(1000);
    go = 1;
    return pthread_join(thread, NULL) == 0;
}

struct common {
    _Alignas(16) uint64_t pair[2];
    _Atomic uint32_t word, compared, token, held;
    _Atomic uint16_t half;
    _Atomic unsigned long wide, wide_token, wide_held;
    atomic_int ready;
};

/* Adds 1 to both halves of 16 bytes, at once where that is atomic between processes. */
static void add_to_pair(UNUSED uint64_t *pair, UNUSED int round)
{
#if defined(__x86_64__)
    __asm__ volatile("mov (%0), %%rax; mov 8(%0), %%rdx; 1: lea 1(%%rax), %%rbx; lea 1(%%rdx), %%rcx\n"
                     "lock cmpxchg16b (%0); jne 1b" ::"r"(pair) : "rax", "rbx", "rcx", "rdx", "memory", "cc");
#elif defined(__aarch64__)
    if (round % 2)
        __asm__ volatile(".arch armv8-a+lse\n ldp x2, x3, [%0]\n"
                         "1: mov x4, x2; mov x5, x3; add x6, x2, #1; add x7, x3, #1; caspal x2, x3, x6, x7, [%0]\n"
                         "cmp x2, x4; ccmp x3, x5, #0, eq; b.ne 1b"
                         ::"r"(pair) : "x2", "x3", "x4", "x5", "x6", "x7", "memory", "cc");
    else
        __asm__ volatile("1: ldaxp x2, x3, [%0]; add x2, x2, #1; add x3, x3, #1; stlxp w4, x2, x3, [%0]; cbnz w4, 1b"
                         ::"r"(pair) : "x2", "x3", "x4", "memory");
#elif defined(__s390x__)
    __asm__ volatile("lmg %%r0, %%r1, 0(%0)\n1: lgr %%r2, %%r0\n lgr %%r3, %%r1\n aghi %%r2, 1\n aghi %%r3, 1\n"
                     "cdsg %%r0, %%r2, 0(%0)\n jne 1b" ::"a"(pair) : "r0", "r1", "r2", "r3", "memory", "cc");
#else
    __atomic_fetch_add((uint32_t *)&pair[0], 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add((uint32_t *)&pair[1], 1, __ATOMIC_SEQ_CST);
#endif
}

static void counting_together(struct common *common, uint32_t token)
{
    unsigned long wide_token = token;
    common->ready++;
    while (common->ready < 2)
        sched_yield();
    for (int i = 0; i < SHARED_ROUNDS; i++) {
        common->word++;
        common->half += 3;
        common->wide += 5;
        uint32_t seen = common->compared;
        while (!atomic_compare_exchange_weak(&common->compared, &seen, seen + 1))
            ;
        token = atomic_exchange(&common->token, token);
        wide_token = atomic_exchange(&common->wide_token, wide_token);
        add_to_pair(common->pair, i);
    }
    common->held += token;
    common->wide_held += wide_token;
}

static struct common *count_in_two_processes(void)
{
    struct common *common = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    common->token = common->wide_token = 1;
    pid_t child = fork();
    counting_together(common, child == 0 ? 10 : 100);
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    return common;
}

/* None of the tokens is lost, and none is there twice. */
static int exchanged(struct common *common)
{
    return common->token + common->held == 111 && common->wide_token + common->wide_held == 111;
}

/* x86 alone has atomic operations on any address. */
static int anywhere(UNUSED struct common *common)
{
#if defined(__x86_64__) || defined(__i386__)
    volatile int *place = (volatile int *)((char *)common + 4096 - 35);
    *place = 5;
    __asm__ volatile("lock incl %0" : "+m"(*place));
    return *place == 6;
#else
    return 1;
#endif
}

int main(void)
{
    intptr_t result[THREADS];
    run(counting, result);
    CHECK("counters of all widths", bytes == (uint8_t)(THREADS * ROUNDS) && halves == (uint16_t)(3 * THREADS * ROUNDS));
    CHECK("add and compare", words == 2 * THREADS * ROUNDS);
    CHECK("64 bits", longs == (uint64_t)THREADS * ROUNDS * 0x100000001);
    CHECK("exclusive or", bits == 0);
    CHECK("exchange", result[0] + result[1] + result[2] + result[3] == THREADS * ROUNDS - 1);
    for (uint32_t node = 1; node <= NODES; node++)
        push(node);
    run(stacking, result);
    int left = 0;
    while (pop())
        left++;
    CHECK("a stack without locks", twice == 0 && left == NODES);
    CHECK("others run beside a loop", others_run_beside_a_loop());
    struct common *common = count_in_two_processes();
    CHECK("two processes", common->word == 2 * SHARED_ROUNDS && common->half == (uint16_t)(6 * SHARED_ROUNDS));
    CHECK("two processes, a long", common->wide == 10ul * SHARED_ROUNDS);
    CHECK("two processes compare", common->compared == 2 * SHARED_ROUNDS);
    CHECK("two processes exchange", exchanged(common));
    CHECK("two processes, a pair", (uint32_t)common->pair[0] + (uint32_t)(common->pair[0] >> 32) == 2 * SHARED_ROUNDS
          && common->pair[0] == common->pair[1]);
    CHECK("an operand anywhere", anywhere(common));
    return finish();
}
