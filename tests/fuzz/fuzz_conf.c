/*
 * A file of settings is taken or refused; what was taken, written as a file of
 * one line each, is taken as the same.
 */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "conf.h"

#define NEEDS (NEED_DATABASE | NEED_BASE_URL)

/* A value in the order of names. */
#define COUNT 15

static const char *const names[COUNT] = {
	"DATABASE_URL",	      "BASE_URL",
	"AUTH_SECRET",	      "CRON_SECRET",
	"TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET",
	"TELEGRAM_API_BASE",  "ZOOM_WEBHOOK_SECRET",
	"ZOOM_ACCOUNT_ID",    "ZOOM_CLIENT_ID",
	"ZOOM_CLIENT_SECRET", "ZOOM_API_BASE",
	"ZOOM_OAUTH_BASE",    "JOURNAL_DIR",
	"RETENTION_DAYS",
};

static const char **value(struct conf *conf, size_t i)
{
	const char **const at[COUNT] = {
		&conf->database_url,	   &conf->base_url,
		&conf->auth_secret,	   &conf->cron_secret,
		&conf->telegram_bot_token, &conf->telegram_webhook_secret,
		&conf->telegram_api_base,  &conf->zoom_webhook_secret,
		&conf->zoom_account_id,	   &conf->zoom_client_id,
		&conf->zoom_client_secret, &conf->zoom_api_base,
		&conf->zoom_oauth_base,	   &conf->journal_dir,
		&conf->retention_days,
	};

	return at[i];
}

static enum err load(int file, const void *text, size_t len, struct conf *conf)
{
	claim(!ftruncate(file, 0) && pwrite(file, text, len, 0) == (ssize_t)len);
	return conf_load(conf, NEEDS);
}

/* A file that is opened once, by the name that CLASSCLOCK_ENV has from then on. */
static int settings_file(struct arena *a)
{
	int file = memfd_create("settings", 0);

	claim(file >= 0);
	for (size_t i = 0; i < COUNT; i++)
		claim(!unsetenv(names[i]));
	claim(!setenv("CLASSCLOCK_ENV", arena_printf(a, "/proc/self/fd/%d", file), 1));
	return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int file = -1;
	struct arena *a = arena_new();
	struct conf conf, again;
	const char *text = "", *was[COUNT];

	if (file < 0)
		file = settings_file(a);
	if (!load(file, data, len, &conf)) {
		claim(conf.database_url && conf_is_base_url(conf.base_url));
		claim(conf.https == !strncmp(conf.base_url, "https://", 8));
		for (size_t i = 0; i < COUNT; i++) {
			const char *v = *value(&conf, i);

			claim(!v || (*v && !strpbrk(v, "\r\n")));
			was[i] = v ? arena_copy(a, v, strlen(v)) : NULL;
			if (v)
				text = arena_printf(a, "%s# %zu\r\n%s=%s\r\n", text, i, names[i],
						    v);
		}
		claim(!load(file, text, strlen(text), &again));
		for (size_t i = 0; i < COUNT; i++) {
			const char *v = *value(&again, i);

			claim(v && was[i] ? !strcmp(v, was[i]) : v == was[i]);
		}
	}
	arena_free(a);
	return 0;
}
