/* A few threads: results, a lock, a condition, memory of their own. */
#include "sample.h"
#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static _Thread_local int own = 5;
static int shared, turn;
static atomic_int atomic;

static void *adding(void *argument)
{
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&lock);
        shared++;
        pthread_mutex_unlock(&lock);
        atomic++;
        own++;
    }
    return (void *)(own + (intptr_t)argument);
}

static void *taking_turns(void *argument)
{
    int mine = (int)(intptr_t)argument;
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&lock);
        while (turn % 3 != mine)
            pthread_cond_wait(&changed, &lock);
        turn++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void *leaving(void *argument)
{
    pthread_exit(argument);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static atomic_int ended;

static void at_end(void *value)
{
    ended += (int)(intptr_t)value;
}

static void make_key(void)
{
    pthread_key_create(&key, at_end);
}

static void *using_key(void *argument)
{
    pthread_once(&once, make_key);
    pthread_setspecific(key, argument);
    return pthread_getspecific(key);
}

static void run(void *(*work)(void *), int count, intptr_t results[])
{
    pthread_t threads[8];
    for (intptr_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i))
            say("FAIL pthread_create");
    for (int i = 0; i < count; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        results[i] = (intptr_t)result;
    }
}

int main(void)
{
    intptr_t result[8];
    run(adding, 4, result);
    CHECK("a lock protects", shared == 8000 && atomic == 8000);
    CHECK("memory of their own", result[0] == 2005 && result[3] == 2008 && own == 5);
    run(taking_turns, 3, result);
    CHECK("a condition", turn == 300);
    run(leaving, 5, result);
    CHECK("pthread_exit", result[0] == 0 && result[4] == 4);
    run(using_key, 4, result);
    CHECK("keys and their ends", result[3] == 3 && ended == 6);
    CHECK("trylock", pthread_mutex_trylock(&lock) == 0 && pthread_mutex_trylock(&lock) == EBUSY && pthread_mutex_unlock(&lock) == 0);
    return finish();
}
