#include <string.h>

#include "page.h"

enum language { LANGUAGE_EN, LANGUAGE_AR, LANGUAGE_AM, LANGUAGE__MAX };

static const struct {
	const char *code, *direction;
} languages[LANGUAGE__MAX] = {
	[LANGUAGE_EN] = { "en", "ltr" },
	[LANGUAGE_AR] = { "ar", "rtl" },
	[LANGUAGE_AM] = { "am", "ltr" },
};

struct words {
	const char *title, *text;
};

static const struct words words[PAGE__MAX][LANGUAGE__MAX] = {
	[PAGE_NOT_A_LINK] = {
		{ "This link does not open a class",
		  "It may have been cut when it was copied. Please use the button in your "
		  "teacher's message, or ask your teacher for a new link." },
		{ "هذا الرابط لا يفتح حصة",
		  "ربما قُطع عند نسخه. استخدم الزر في رسالة معلمك أو اطلب منه رابطًا جديدًا." },
		{ "ይህ ሊንክ ክፍል አይከፍትም",
		  "ሲቀዳ ተቆርጦ ሊሆን ይችላል። እባክዎ በመምህርዎ መልእክት ያለውን ቁልፍ ይጠቀሙ ወይም አዲስ ሊንክ ይጠይቁ።" },
	},
	[PAGE_EXPIRED] = {
		{ "This link has expired",
		  "It belonged to an earlier class. Please ask your teacher for a new link." },
		{ "انتهت صلاحية هذا الرابط", "كان لحصة سابقة. اطلب من معلمك رابطًا جديدًا." },
		{ "የዚህ ሊንክ ጊዜ አልፏል", "የቀድሞ ክፍል ነበር። እባክዎ መምህርዎን አዲስ ሊንክ ይጠይቁ።" },
	},
	[PAGE_CANCELLED] = {
		{ "This class was cancelled",
		  "Nothing is wrong with your phone. Please ask your teacher when the next class is." },
		{ "أُلغيت هذه الحصة", "لا مشكلة في هاتفك. اسأل معلمك عن موعد الحصة القادمة." },
		{ "ይህ ክፍል ተሰርዟል", "ስልክዎ ላይ ችግር የለም። ቀጣዩ ክፍል መቼ እንደሆነ መምህርዎን ይጠይቁ።" },
	},
	[PAGE_TRY_AGAIN] = {
		{ "The class could not be opened just now",
		  "Please tap the button in your teacher's message once more in a moment." },
		{ "تعذّر فتح الحصة الآن", "انقر الزر في رسالة معلمك مرة أخرى بعد لحظات." },
		{ "ክፍሉን አሁን መክፈት አልተቻለም", "እባክዎ ከጥቂት ጊዜ በኋላ በመምህርዎ መልእክት ያለውን ቁልፍ እንደገና ይንኩ።" },
	},
	[PAGE_OPEN_CLASS] = {
		{ "Your class", "Open class" },
		{ "حصتك", "افتح الحصة" },
		{ "ክፍልዎ", "ክፍሉን ክፈት" },
	},
	[PAGE_TEACHER] = {
		{ "This is the student's link",
		  "You are signed in, so nothing was started. When your student opens it, the class "
		  "begins. Your own link is on your page." },
		{ "هذا رابط الطالب",
		  "أنت مسجّل الدخول، لذلك لم يبدأ شيء. تبدأ الحصة عندما يفتحه الطالب. رابطك في صفحتك." },
		{ "ይህ የተማሪው ሊንክ ነው",
		  "ስለገቡ ምንም አልተጀመረም። ተማሪዎ ሲከፍተው ክፍሉ ይጀምራል። የእርስዎ ሊንክ በገጽዎ ላይ ነው።" },
	},
	[PAGE_CLASS_ENDED] = {
		{ "Thank you, the class has ended",
		  "Its end is recorded. You can close this page." },
		{ "شكرًا، انتهت الحصة", "سُجّلت نهايتها. يمكنك إغلاق هذه الصفحة." },
		{ "እናመሰግናለን፣ ክፍሉ ተጠናቋል", "መጨረሻው ተመዝግቧል። ይህን ገጽ መዝጋት ይችላሉ።" },
	},
	[PAGE_NOT_ENDED] = {
		{ "The class could not be ended just now",
		  "Its end may not be recorded. Please open your End class link once more in a moment, "
		  "or use End class on your page." },
		{ "تعذّر إنهاء الحصة الآن",
		  "ربما لم تُسجَّل نهايتها. افتح رابط إنهاء الحصة مرة أخرى بعد لحظات، أو استخدم زر إنهاء "
		  "الحصة في صفحتك." },
		{ "ክፍሉን አሁን መጨረስ አልተቻለም",
		  "መጨረሻው ላይመዘገብ ይችላል። እባክዎ ከጥቂት ጊዜ በኋላ ሊንኩን እንደገና ይክፈቱ፣ ወይም በገጽዎ ላይ "
		  "ያለውን «ክፍሉን አብቃ» ይጠቀሙ።" },
	},
	[PAGE_BAD_LEAVE] = {
		{ "This link does not end a class",
		  "It was changed or is too old. Nothing was ended. Please use End class on your page." },
		{ "هذا الرابط لا ينهي حصة",
		  "تم تغييره أو أنه قديم. لم يُنهَ شيء. استخدم زر إنهاء الحصة في صفحتك." },
		{ "ይህ ሊንክ ክፍል አይጨርስም",
		  "ተቀይሯል ወይም ጊዜው አልፏል። ምንም አልተጠናቀቀም። በገጽዎ ላይ ያለውን «ክፍሉን አብቃ» ይጠቀሙ።" },
	},
};

/* The first of our languages that the browser names; its weights follow its order in practice. */
static enum language language_of(const struct req *req)
{
	const char *p = req_header(req, "Accept-Language");

	for (; p && *p; p += strcspn(p, ","), p += *p == ',') {
		p += strspn(p, " ");
		for (enum language l = 0; l < LANGUAGE__MAX; l++)
			if (!strncmp(p, languages[l].code, 2))
				return l;
	}
	return LANGUAGE_EN;
}

/* url passed the allow-list, so & is the only character of HTML that it can hold. */
static const char *escape(struct arena *a, const char *url)
{
	char *out = arena_alloc(a, 5 * strlen(url) + 1), *p = out;

	for (; *url; url++) {
		*p++ = *url;
		if (*url == '&') {
			memcpy(p, "amp;", 4);
			p += 4;
		}
	}
	*p = '\0';
	return out;
}

enum err page_answer(struct req *req, int status, enum page page, const char *url)
{
	enum language l = language_of(req);
	const struct words *w = &words[page][l];
	const char *body = arena_printf(req->arena, "<p>%s</p>", w->text);

	if (url)
		body = arena_printf(req->arena, "<p><a class=\"button\" href=\"%s\">%s</a></p>",
				    escape(req->arena, url), w->text);
	req_add_header(req, "Vary", "Accept-Language, Sec-Purpose");
	req_add_header(req, "X-Robots-Tag", "noindex, nofollow");
	return req_text(req, status, "text/html; charset=utf-8",
			arena_printf(req->arena,
				     "<!doctype html>\n<html lang=\"%s\" dir=\"%s\">\n"
				     "<meta charset=\"utf-8\">\n"
				     "<meta name=\"viewport\" content=\"width=device-width\">\n"
				     "<title>%s</title>\n"
				     "<link rel=\"stylesheet\" href=\"/page.css\">\n"
				     "<main><h1>%s</h1>\n%s</main>\n</html>\n",
				     languages[l].code, languages[l].direction, w->title, w->title,
				     body));
}
