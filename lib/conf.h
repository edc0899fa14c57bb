#ifndef CONF_H
#define CONF_H

#include <stdbool.h>

#include "err.h"

/*
 * Settings. Read from the environment, else from the file that CLASSCLOCK_ENV
 * names (/etc/classclock/env), lines of literal KEY=VALUE. Values that systemd,
 * which reads that file too, would read otherwise are refused. An empty value is
 * unset. Source: design, commands and settings.
 */
struct conf {
	const char *database_url; /* libpq connection string or URI */
	const char *base_url;	  /* https://host[:port], byte for byte as browsers' Origin */
	const char *auth_secret;  /* comma list, each at least 32 bytes */
	const char *cron_secret;  /* comma list, NULL: the HTTP door is closed */
	const char *telegram_bot_token;
	const char *telegram_webhook_secret;
	const char *telegram_api_base; /* has a default */
	const char *zoom_webhook_secret;
	const char *zoom_account_id;
	const char *zoom_client_id;
	const char *zoom_client_secret;
	const char *zoom_api_base;   /* has a default */
	const char *zoom_oauth_base; /* has a default */
	const char *journal_dir;
	const char *retention_days; /* a number; has a default */
	bool https;		    /* base_url is https: cookies are Secure */
};

/* What a program cannot do without; the rest is optional and may be NULL. */
enum need {
	NEED_DATABASE = 1 << 0,
	NEED_BASE_URL = 1 << 1,
	NEED_AUTH_SECRET = 1 << 2,
	NEED_JOURNAL = 1 << 3,
};

/*
 * Fills *conf. Strings live as long as the program. Every setting present is
 * checked, needed or not.
 *
 * ERR_INVALID  a setting is missing or malformed; one line that names it is logged
 */
MUST_CHECK enum err conf_load(struct conf *conf, unsigned needs);

/*
 * Whether url is http or https with a host and nothing behind it, as browsers write an origin: in
 * lower case, and without the scheme's own port. Plain http to loopback only.
 */
bool conf_is_base_url(const char *url);

#endif
