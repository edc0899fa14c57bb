#ifndef ZOOM_TOKEN_H
#define ZOOM_TOKEN_H

#include "zoom_api.h"

/*
 * The access token that all workers share. *outcome is ZOOM_DONE and *out the
 * token, or what was in the way. refused is a token that Zoom did not take
 * (NULL: none): it is not handed out again, and one worker fetches another.
 */
MUST_CHECK enum err zoom_token(const struct zoom_api *api, const char *refused, const char **out,
			       enum zoom_outcome *outcome);

#endif
