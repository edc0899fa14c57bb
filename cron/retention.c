/*
 * retention: forgets what is older than RETENTION_DAYS and no longer needed. Run by crontab once a
 * day; harmless at any other time, or twice at once.
 *
 * Exit status  0 done, 1 failed (say why on standard error), 2 wrong usage
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "log.h"
#include "retention.h"

static int usage(FILE *to, int status)
{
	fputs("usage: retention [--help] [--version]\n"
	      "Forgets details of clicks, events, messages and logins that are older than\n"
	      "RETENTION_DAYS. Classes, their minutes and their evidence stay.\n",
	      to);
	return status;
}

int main(int argc, char **argv)
{
	struct arena *a;
	struct conf conf;
	struct db *db;
	int64_t gone = 0;
	enum err e;

	log_name("retention");
	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout, EXIT_SUCCESS);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts(CLASSCLOCK_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc > 1)
		return usage(stderr, 2);
	if (conf_load(&conf, NEED_DATABASE))
		return EXIT_FAILURE;
	a = arena_new();
	db = db_new(conf.database_url);
	e = retention_run(db, a, strtol(conf.retention_days, NULL, 10), conf.journal_dir, &gone);
	printf("retention: %s, %lld rows older than %s days are gone\n", e ? "FAILED" : "ok",
	       (long long)gone, conf.retention_days);
	db_free(db);
	arena_free(a);
	return e ? EXIT_FAILURE : EXIT_SUCCESS;
}
