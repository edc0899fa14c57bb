/* Only what Zoom signed passes, and no answer of ours can serve as a signature. */
#include "unit.h"

#include <ctype.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>

#include "zoom_signature.h"

/* Two live captures published with ZoomNet's tests, two made with Python's hmac. */
static const struct vector {
	const char *secret, *timestamp, *body_base64;
	size_t body_len;
	const char *signature;
} vectors[] = {
	{
		/* live url_validation (ZoomNet tests) */
		.secret = "4fv1RkqGQUq5sWbEz6hA5A",
		.timestamp = "1720705455",
		.body_base64 =
			("eyJwYXlsb2FkIjp7InBsYWluVG9rZW4iOiJ4eXM4bjhQR1M3bUFVMG01LVlKalJBIn0sImV2Z"
			 "W"
			 "50X3Rz"
			 "IjoxNzIwNzA1NDU1ODU4LCJldmVudCI6ImVuZHBvaW50LnVybF92YWxpZGF0aW9uIn0="),
		.body_len = 110,
		.signature = "v0=93a1a675965ceb9c5a50c5dfb31f20e50f763be37a54ef74cd2d16a1a8e5c0d6",
	},
	{
		/* live meeting.started, mixed escapes (ZoomNet tests) */
		.secret = "4fv1RkqGQUq5sWbEz6hA5A",
		.timestamp = "1720707175",
		.body_base64 =
			("eyJldmVudCI6Im1lZXRpbmcuc3RhcnRlZCIsInBheWxvYWQiOnsiYWNjb3VudF9pZCI"
			 "6IlZqWm9FQXJJ"
			 "VDV5LUhsV3hrVi10VkEiLCJvYmplY3QiOnsiZHVyYXRpb24iOjYwLCJzdGFydF90aW1"
			 "lIjoiMjAyNC0w"
			 "Ny0xMVQxNDoxMjo1NVoiLCJ0aW1lem9uZSI6IkFtZXJpY2EvTmV3X1lvcmsiLCJ0b3B"
			 "pYyI6IlRlc3Qg"
			 "XHVEODNEXHVERTkyXHVEODNEXHVERTkyID8gLSDigJkgLSDigJMgXHVEODNEXHVERTk"
			 "3IEhPTEEiLCJp"
			 "ZCI6Ijg1MzkzODQ3MDQ1IiwidHlwZSI6MiwidXVpZCI6ImpVaDVvM2RLUUl5dHZjc2Z"
			 "UdEtCbGc9PSIs"
			 "Imhvc3RfaWQiOiI4bHpJd3ZaVFNPcWpuZFdQYlBxenVBIn19LCJldmVudF90cyI6MTc"
			 "yMDcwNzE3NTkw"
			 "NH0="),
		.body_len = 362,
		.signature = "v0=1a14e79349318fa1bead50ebbd3c185ae078e182d3bbd30ab8010fcb7f4357c7",
	},
	{
		/* ended, numeric id (own) */
		.secret = "It's-a-secret/token_1",
		.timestamp = "1767261961",
		.body_base64 =
			("eyJldmVudCI6Im1lZXRpbmcuZW5kZWQiLCJldmVudF90cyI6MTc2NzI2MTk2MDAwMCw"
			 "icGF5bG9hZCI6"
			 "eyJhY2NvdW50X2lkIjoiQSIsIm9iamVjdCI6eyJpZCI6ODEyMzQ1Njc4OTAsInV1aWQ"
			 "iOiIvYWJjLy9E"
			 "RUYrZ2hpSktMbW5vcFE9PSJ9fX0="),
		.body_len = 140,
		.signature = "v0=1cbc8f16f50aae4eedf9f65f301da9afdaebb51373d91e04dc3c9d830ccb6de4",
	},
	{
		/* left, mixed escapes (own) */
		.secret = "It's-a-secret/token_1",
		.timestamp = "1767261901",
		.body_base64 =
			("eyJldmVudCI6Im1lZXRpbmcucGFydGljaXBhbnRfbGVmdCIsImV2ZW50X3RzIjoxNzY"
			 "3MjYxOTAwMTIz"
			 "LCJwYXlsb2FkIjp7ImFjY291bnRfaWQiOiJBY2N0U3ludGhldGljWFhYWFhYWFhYIiw"
			 "ib2JqZWN0Ijp7"
			 "InV1aWQiOiIvYWJjLy9ERUYrZ2hpSktMbW5vcFE9PSIsInBhcnRpY2lwYW50Ijp7Imx"
			 "lYXZlX3RpbWUi"
			 "OiIyMDI2LTAxLTAxVDEwOjA1OjAwWiIsInVzZXJfaWQiOiIxNjc3ODI0MCIsInVzZXJ"
			 "fbmFtZSI6IkFs"
			 "w61jZSBcdUQ4M0RcdURFOTIiLCJyZWdpc3RyYW50X2lkIjoiIiwicGFydGljaXBhbnR"
			 "fdXNlcl9pZCI6"
			 "IiIsImlkIjoiIiwibGVhdmVfcmVhc29uIjoibGVmdCB0aGUgbWVldGluZy4gUmVhc29"
			 "uIDogbGVmdCB0"
			 "aGUgbWVldGluZyIsImVtYWlsIjoiIiwicGFydGljaXBhbnRfdXVpZCI6IjAwMDAwMDA"
			 "wLTAwMDAtNDAw"
			 "MC04MDAwLTAwMDAwMDAwMDAwMSIsInB1YmxpY19pcCI6IjIwMy4wLjExMy4xIiwicHJ"
			 "pdmF0ZV9pcCI6"
			 "IjEwLjAuMC41In0sImlkIjoiODEyMzQ1Njc4OTAiLCJ0eXBlIjoyLCJ0b3BpYyI6IlQ"
			 "iLCJob3N0X2lk"
			 "IjoiSG9zdFN5bnRoZXRpY1hYWFhYWFhYWCIsImR1cmF0aW9uIjo2MCwic3RhcnRfdGl"
			 "tZSI6IjIwMjYt"
			 "MDEtMDFUMDk6MDA6MDBaIiwidGltZXpvbmUiOiJFdXJvcGUvTWFkcmlkIn19fQ=="),
		.body_len = 646,
		.signature = "v0=9dab4a065e2bff7480c8bff7a9dfd5d4351d4b41769a5af98fe878c46bb68d94",
	},
};

#define BODY_MAX      1000
#define AT_US(vector) ((int64_t)strtoll((vector)->timestamp, NULL, 10) * 1000000)

/* The request of vector i, its body in the arena so that it can be altered. */
static struct zoom_request request(struct arena *a, const struct vector *v)
{
	unsigned char *body = arena_alloc(a, BODY_MAX);
	struct zoom_request req = { v->timestamp, v->signature, body, 0 };

	assert_int_equal(sodium_base642bin(body, BODY_MAX, v->body_base64, strlen(v->body_base64),
					   NULL, &req.body_len, NULL,
					   sodium_base64_VARIANT_ORIGINAL),
			 0);
	assert_int_equal(req.body_len, v->body_len);
	return req;
}

static bool passes_at(const char *secrets, const struct zoom_request *req, int64_t now_us)
{
	struct secret used;
	enum err e = zoom_signature_verify(secrets, req, now_us, &used);

	assert_true(e == OK || e == ERR_UNAUTHENTICATED);
	assert_int_equal(used.len > 0, e == OK);
	return e == OK;
}

static bool passes(const char *secrets, const struct zoom_request *req)
{
	return passes_at(secrets, req, INT64_C(1767261961000000));
}

static void what_zoom_signed_passes(void **state)
{
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct zoom_request req = request(*state, &vectors[i]);

		assert_true(passes_at(vectors[i].secret, &req, AT_US(&vectors[i])));
	}
}

static void one_changed_bit_of_the_body_does_not(void **state)
{
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct zoom_request req = request(*state, &vectors[i]);
		unsigned char *body = (unsigned char *)req.body;

		for (size_t at = 0; at < req.body_len; at++) {
			body[at] ^= 1;
			assert_false(passes(vectors[i].secret, &req));
			body[at] ^= 1;
		}
		body[req.body_len++] = '\n';
		assert_false(passes(vectors[i].secret, &req));
		req.body_len -= 2;
		assert_false(passes(vectors[i].secret, &req));
		req.body_len = 0;
		assert_false(passes(vectors[i].secret, &req));
	}
}

static void other_spellings_of_a_right_signature_do_not(void **state)
{
	const struct vector *v = &vectors[2];
	struct zoom_request req = request(*state, v);
	char *upper = arena_printf(*state, "%s", v->signature);
	char *huge = arena_alloc(*state, 10241);

	for (char *c = upper + 3; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	memset(huge, 'a', 10240);
	memcpy(huge, v->signature, strlen(v->signature));
	huge[10240] = '\0';

	const char *const bad[] = {
		NULL,
		"",
		"v0=",
		upper,
		huge,
		v->signature + 3,
		arena_printf(*state, "v1=%s", v->signature + 3),
		arena_printf(*state, "V0=%s", v->signature + 3),
		arena_printf(*state, " %s", v->signature),
		arena_printf(*state, "%s ", v->signature),
		arena_printf(*state, "%s, %s", v->signature, v->signature),
		arena_copy(*state, v->signature, strlen(v->signature) - 1),
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		req.signature = bad[i];
		assert_false(passes(v->secret, &req));
	}
	req.signature = v->signature;
	assert_true(passes(v->secret, &req));
}

/* An empty event rightly signed under key: only the timestamp or the key can be at fault. */
static struct zoom_request signed_under(struct arena *a, const char *key, const char *timestamp)
{
	const char *text = arena_printf(a, "v0:%s:{}", timestamp);
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state hmac;
	char hex[2 * sizeof mac + 1];

	crypto_auth_hmacsha256_init(&hmac, (const unsigned char *)key, strlen(key));
	crypto_auth_hmacsha256_update(&hmac, (const unsigned char *)text, strlen(text));
	crypto_auth_hmacsha256_final(&hmac, mac);
	sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
	return (struct zoom_request){ timestamp, arena_printf(a, "v0=%s", hex), "{}", 2 };
}

static void a_timestamp_is_plain_digits(void **state)
{
	static const char *const bad[] = { "",
					   "x",
					   "-1",
					   "+1",
					   " 1",
					   "1 ",
					   "1.0",
					   "0x10",
					   "1767a",
					   "1e9",
					   "1767261961, 1767261961",
					   "\u0661",
					   "9999999999999999999999" };
	struct zoom_request req = signed_under(*state, "secret", "1767261961");

	assert_true(passes("secret", &req));
	req.timestamp = NULL;
	assert_false(passes("secret", &req));
	for (size_t i = 0; i < COUNT(bad); i++) {
		req = signed_under(*state, "secret", bad[i]);
		assert_false(passes("secret", &req));
	}
}

static void an_old_event_passes_and_one_from_the_future_does_not(void **state)
{
	const int64_t now_us = INT64_C(1767261961000000);
	struct zoom_request old = signed_under(*state, "secret", "1");
	struct zoom_request ahead = signed_under(*state, "secret", "1767262561");
	struct zoom_request far_ahead = signed_under(*state, "secret", "1767262562");
	struct zoom_request milliseconds = signed_under(*state, "secret", "176726196100");

	assert_true(passes_at("secret", &old, now_us));
	assert_true(passes_at("secret", &ahead, now_us));
	assert_false(passes_at("secret", &far_ahead, now_us));
	assert_false(passes_at("secret", &milliseconds, now_us));
}

static void without_a_secret_nothing_passes(void **state)
{
	static const char *const empty[] = { NULL, "", ",", " , " };
	struct zoom_request req = signed_under(*state, "", "1");

	for (size_t i = 0; i < COUNT(empty); i++)
		assert_false(passes(empty[i], &req));
}

static void every_secret_of_the_list_is_tried_and_the_right_one_handed_out(void **state)
{
	const struct vector *v = &vectors[0];
	struct zoom_request req = request(*state, v);
	struct secret used;

	assert_false(passes("other", &req));
	assert_false(passes("other,4fv1RkqGQUq5sWbEz6hA5", &req));
	assert_int_equal(zoom_signature_verify("other, 4fv1RkqGQUq5sWbEz6hA5A ,third", &req,
					       AT_US(v), &used),
			 OK);
	assert_int_equal(used.len, strlen(v->secret));
	assert_memory_equal(used.text, v->secret, used.len);
}

static enum err answer(struct arena *a, const char *secret, const char *token, const char **out)
{
	struct secret used = { secret, strlen(secret) };

	return zoom_challenge_answer(a, &used, token, out);
}

static void answers_a_challenge_as_zoom_wants_it(void **state)
{
	static const char *const rows[][3] = {
		{ "4fv1RkqGQUq5sWbEz6hA5A", "xys8n8PGS7mAU0m5-YJjRA",
		  "2fffc6a967dde4f68024025a5bd991c5ae1e5313b4e6365be4883e3e81d479b3" },
		{ "It's-a-secret/token_1", "qgg8vlvZRS6UYooatFL8Aw",
		  "20255854f77b194932986f802083a119fd35bcd1f9ed632e3e37c7ac2e8edbee" },
	};
	const char *got;

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(answer(*state, rows[i][0], rows[i][1], &got), OK);
		assert_string_equal(got, rows[i][2]);
	}
}

static void signs_nothing_that_could_be_an_event(void **state)
{
	char longest[130];
	const char *const bad[] = {
		("v0:1767261961:{\"event\":\"meeting.ended\",\"event_ts\":1767261960000,"
		 "\"payload\":"
		 "{\"account_id\":\"A\",\"object\":{\"id\":81234567890,\"uuid\":\"/abc//"
		 "DEF+ghiJKLmnopQ==\"}}}"),
		"v0:1:{}",
		"a:b",
		"a b",
		"a+b",
		"a/b=",
		"a\n",
		"\u0661",
		"",
		NULL,
		longest,
	};
	const char *got;

	memset(longest, 'a', sizeof longest - 1);
	longest[129] = '\0';
	for (size_t i = 0; i < COUNT(bad); i++) {
		got = "left over";
		assert_int_equal(answer(*state, "It's-a-secret/token_1", bad[i], &got),
				 ERR_INVALID);
		assert_null(got);
	}
	longest[128] = '\0';
	assert_int_equal(answer(*state, "secret", longest, &got), OK);
	assert_int_equal(answer(*state, "", "token", &got), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(what_zoom_signed_passes),
		WITH_ARENA(one_changed_bit_of_the_body_does_not),
		WITH_ARENA(other_spellings_of_a_right_signature_do_not),
		WITH_ARENA(a_timestamp_is_plain_digits),
		WITH_ARENA(an_old_event_passes_and_one_from_the_future_does_not),
		WITH_ARENA(without_a_secret_nothing_passes),
		WITH_ARENA(every_secret_of_the_list_is_tried_and_the_right_one_handed_out),
		WITH_ARENA(answers_a_challenge_as_zoom_wants_it),
		WITH_ARENA(signs_nothing_that_could_be_an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
