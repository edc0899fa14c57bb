#ifndef LOG_H
#define LOG_H

/*
 * One line an event to standard error; whoever runs the program adds the time.
 * Control bytes are replaced, so that no input can forge a line. Callers never
 * pass secrets, tokens or whole URLs.
 */
void log_name(const char *program); /* kept, not copied; appears in each line */

void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
