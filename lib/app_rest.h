#ifndef APP_REST_H
#define APP_REST_H

/*
 * Becomes classclock-rest, a program that holds almost no memory and becomes
 * this one again, with the arguments of argv and the same environment, when a
 * connection waits on descriptor 0. The process stays, and with it what is
 * blocked, pending or open. Returns only if it cannot, which is logged.
 */
void app_rest(char **argv);

#endif
