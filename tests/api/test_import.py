"""People from a CSV file: all or none, each bad row named, and never twice."""

import csv
import io
import itertools

import pytest

from academy import ZOOM_URL, at_once

PATH = "/api/admin/import"
COLUMNS = {
    "teachers": ["name", "email"],
    "students": ["name", "teacher_email", "package", "language", "telegram_chat_id", "zoom_url", "note"],
}
TABLES = {"teachers": "accounts", "students": "students"}

_numbers = itertools.count(1)


def file(*rows, columns=None, **form):
    """A CSV file of these dicts, as Python writes it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns or list(rows[0]), **form)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def send(admin, kind, text, dry_run=False):
    answer = admin.post(PATH, {"kind": kind, "csv": text, "dry_run": dry_run})
    assert answer.status == 200, answer
    return answer.json


def problems(answer):
    """The bad rows: line and problem."""
    assert all(row["ok"] == (row["problem"] is None) for row in answer["rows"])
    return {row["line"]: row["problem"] for row in answer["rows"] if not row["ok"]}


def count(app, kind):
    return int(app.psql(f"SELECT count(*) FROM {TABLES[kind]}"))


def new_teacher(**fields):
    n = next(_numbers)
    return {"name": f"Imported {n}", "email": f"imported{n}@example.org"} | fields


@pytest.fixture
def teacher(make_teacher):
    return make_teacher()


@pytest.fixture
def new_student(teacher):
    def make(**fields):
        return {"name": f"Imported {next(_numbers)}", "teacher_email": teacher.email} | fields

    return make


# ---------------------------------------------------------------- what is made


def test_teachers_are_made_and_can_be_invited(app, admin):
    rows = [new_teacher(), new_teacher(name="ሰላም አበበ")]
    made = send(admin, "teachers", file(*rows))
    assert made == {
        "rows": [{"line": n, "ok": True, "name": row["name"], "problem": None} for n, row in enumerate(rows, 2)],
        "created": 2,
    }
    for row in rows:
        (teacher,) = admin.get(f"/api/admin/teachers?q={row['email']}")["teachers"]
        assert (teacher["name"], teacher["email"]) == (row["name"], row["email"])
        assert (teacher["joined"], teacher["invited"], teacher["disabled"]) == (False, None, False)
        invited = admin.patch("/api/admin/teachers", {"id": teacher["id"], "invite": True})
        accept = {"token": invited["invite_url"].split("#")[1], "password": "a quiet river 7"}
        assert app.client().post("/api/auth/accept-invite", accept).status == 200


def test_students_are_made_with_all_they_have(admin, teacher, new_student):
    whole = new_student(
        package="0 Fee", language="am", telegram_chat_id="-1001234567890", zoom_url=ZOOM_URL, note='two\nlines, "quoted"'
    )
    bare = new_student()
    assert send(admin, "students", file(whole, bare, columns=COLUMNS["students"]))["created"] == 2
    found = {s["name"]: s for s in admin.get(f"/api/admin/students?teacher_id={teacher.id}")["students"]}
    one, other = found[whole["name"]], found[bare["name"]]
    assert one["teacher"]["id"] == other["teacher"]["id"] == teacher.id
    assert (one["package_id"], one["language"], one["telegram_chat_id"]) == ("0 Fee", "am", -1001234567890)
    assert (one["zoom_url"], one["note"]) == (ZOOM_URL, whole["note"])
    assert (other["package_id"], other["language"], other["telegram_chat_id"]) == (None, "en", None)
    assert (other["zoom_url"], other["note"], other["disabled"]) == (None, "", False)


def test_an_imported_student_can_be_taught(admin, teacher, new_student):
    row = new_student(package="Europe")
    send(admin, "students", file(row))
    (student,) = teacher.get("/api/teacher/students")["students"]
    wish = {"student_id": student["id"], "zoom_url": ZOOM_URL, "request_id": "7f0e3bd2-2d2b-4d58-8d2f-0123456789ab"}
    made = teacher.post("/api/teacher/send-link", wish)
    assert made.status == 201 and made["session"]["package_id"] == "Europe", made


FORMS = {
    "byte order mark": lambda text: "\ufeff" + text,
    "line feeds": lambda text: text.replace("\r\n", "\n"),
    "carriage returns": lambda text: text.replace("\r\n", "\r"),
    "no last line end": lambda text: text.removesuffix("\r\n"),
    "blank lines": lambda text: "\r\n" + text.replace("\r\n", "\r\n\r\n"),
    "capitals": lambda text: text.replace("name,", "NAME,"),
    "semicolons": lambda text: text.replace(",", ";"),
    "spaces": lambda text: text.replace(",", " , "),
    "blank rows": lambda text: text + ",\r\n,\r\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_as_spreadsheets_write_it(app, admin, form):
    rows = [new_teacher(), new_teacher()]
    before = count(app, "teachers")
    made = send(admin, "teachers", FORMS[form](file(*rows)))
    assert [(row["ok"], row["name"]) for row in made["rows"]] == [(True, row["name"]) for row in rows]
    assert count(app, "teachers") == before + 2


def test_columns_in_any_order_and_all_fields_quoted(app, admin, new_student):
    row = new_student(package="Europe", note="=1+2")
    shuffled = file(row, columns=["note", "teacher_email", "package", "name"], quoting=csv.QUOTE_ALL)
    assert send(admin, "students", shuffled)["created"] == 1
    stored = app.row(f"SELECT note, package_id FROM students WHERE name = '{row['name']}'")
    assert stored == {"note": "=1+2", "package_id": "Europe"}


HOSTILE = ['=1+2";=1+2', "a,b", "two\nlines", "two\r\nlines", "ليلى منصور", "👩🏽‍🏫", "'; DROP TABLE students; --",
           "\u202eevil", '{"a":1}', "\\", "%s%n", "x" * 200, "ሰ" * 200]  # fmt: skip


def test_hostile_names_go_in_as_they_are(app, admin, new_student):
    rows = [new_student(name=name) for name in HOSTILE]
    assert send(admin, "students", file(*rows))["created"] == len(HOSTILE)
    stored = app.rows("SELECT name FROM students WHERE teacher_id = (SELECT id FROM accounts"
                      f" WHERE email = '{rows[0]['teacher_email']}')")  # fmt: skip
    assert sorted(row["name"] for row in stored) == sorted(HOSTILE)


# ---------------------------------------------------------------- all or none


def test_looking_makes_nothing(app, admin, new_student):
    for kind, row in (("teachers", new_teacher()), ("students", new_student())):
        before = count(app, kind)
        looked = send(admin, kind, file(row), dry_run=True)
        assert looked["created"] == 0 and looked["rows"][0]["ok"]
        assert count(app, kind) == before
        assert send(admin, kind, file(row))["created"] == 1


def test_one_bad_row_and_none_is_made(app, admin, new_student):
    teachers = [new_teacher(), new_teacher(email="no address"), new_teacher()]
    students = [new_student(), new_student(package="none such"), new_student()]
    for kind, rows in (("teachers", teachers), ("students", students)):
        before = count(app, kind)
        for dry_run in (True, False):
            answer = send(admin, kind, file(*rows, columns=COLUMNS[kind]), dry_run)
            assert list(problems(answer)) == [3] and answer["created"] == 0
            assert [row["ok"] for row in answer["rows"]] == [True, False, True]
        assert count(app, kind) == before


def test_the_same_file_again_makes_no_doubles(app, admin, new_student):
    for kind, row in (("teachers", new_teacher()), ("students", new_student())):
        text = file(row)
        assert send(admin, kind, text)["created"] == 1
        before = count(app, kind)
        for again in (text, text.upper().replace("NAME,TEACHER_EMAIL", "name,teacher_email")):
            answer = send(admin, kind, again)
            assert answer["created"] == 0 and "exists already" in problems(answer)[2]
        assert count(app, kind) == before


def test_a_name_may_come_again_with_another_teacher(admin, new_student, make_teacher):
    row = new_student()
    assert send(admin, "students", file(row, row | {"teacher_email": make_teacher().email}))["created"] == 2


def test_many_at_once_of_one_file_make_it_once(app, admin, new_student):
    for kind, make in (("teachers", new_teacher), ("students", new_student)):
        before = count(app, kind)
        text = file(*[make() for _ in range(20)])
        answers = at_once(*[lambda: admin.client.fork().post(PATH, {"kind": kind, "csv": text})] * 4)
        assert {a.status for a in answers} <= {200, 409}
        assert sum(a["created"] for a in answers if a.status == 200) == 20
        assert count(app, kind) == before + 20


# ---------------------------------------------------------------- what is wrong with a row

BAD_TEACHERS = [
    ({"name": ""}, "The name is missing."),
    ({"name": "  "}, "The name is missing."),
    ({"name": "x" * 201}, "The name is longer than 200 characters."),
    ({"email": ""}, "The e-mail address is missing."),
    ({"email": "someone"}, "It must be an address like name@example.org."),
    ({"email": "a b@example.org"}, "It must be an address like name@example.org."),
    ({"email": "x" * 250 + "@example.org"}, "It must be an address like name@example.org."),
]
BAD_STUDENTS = [
    ({"name": ""}, "The name is missing."),
    ({"teacher_email": ""}, "The teacher's e-mail address is missing."),
    ({"teacher_email": "nobody@example.com"}, "No teacher has the e-mail address nobody@example.com."),
    ({"package": "europe"}, "There is no package europe."),
    ({"language": "english"}, "The language must be a language tag, such as en or am."),
    ({"telegram_chat_id": "12abc"}, "The telegram_chat_id must be Telegram's number of a chat."),
    ({"telegram_chat_id": "0"}, "The telegram_chat_id must be Telegram's number of a chat."),
    ({"telegram_chat_id": "1e3"}, "The telegram_chat_id must be Telegram's number of a chat."),
    ({"telegram_chat_id": str(2**52)}, "The telegram_chat_id must be Telegram's number of a chat."),
    ({"telegram_chat_id": "9" * 40}, "The telegram_chat_id must be Telegram's number of a chat."),
    ({"note": "x" * 2001}, "The note is longer than 2000 characters."),
]


@pytest.mark.parametrize("change, problem", BAD_TEACHERS, ids=str)
def test_a_bad_teacher_is_named(admin, change, problem):
    row = new_teacher(**change)
    answer = send(admin, "teachers", file(new_teacher(), row), dry_run=True)
    assert problems(answer) == {3: problem}
    assert answer["rows"][1]["name"] == (row["name"].strip() or None)


@pytest.mark.parametrize("change, problem", BAD_STUDENTS, ids=str)
def test_a_bad_student_is_named(admin, new_student, change, problem):
    text = file(new_student(), new_student(**change), columns=COLUMNS["students"])
    assert problems(send(admin, "students", text, dry_run=True)) == {3: problem}


@pytest.mark.parametrize("url", ["http://zoom.us/j/123456789", "https://zoom.us.evil.example/j/123456789",
                                 "https://example.org/", "javascript:alert(1)", "https://zoom.us/j/1\r\nX: y"])  # fmt: skip
def test_a_zoom_url_we_send_nobody_to_is_named(admin, new_student, url):
    text = file(new_student(zoom_url=url))
    (problem,) = problems(send(admin, "students", text, dry_run=True)).values()
    assert problem.startswith("The zoom_url is no link for a class.")


def test_a_disabled_teacher_and_a_retired_package_are_named(admin, new_student, make_teacher):
    gone = make_teacher()
    assert admin.patch("/api/admin/teachers", {"id": gone.id, "disabled": True}).status == 200
    name = f"Retired {next(_numbers)}"
    package = {"name": name, "duration_minutes": 60, "buffer_minutes": 10, "rate": "1.00", "currency": "USD"}
    assert admin.post("/api/admin/packages", package).status == 201
    assert admin.patch("/api/admin/packages", {"id": name, "retired": True}).status == 200
    text = file(new_student(teacher_email=gone.email), new_student(package=name), columns=COLUMNS["students"])
    assert problems(send(admin, "students", text)) == {2: "This teacher is disabled.", 3: "This package is retired."}


def test_an_admins_address_is_no_teachers(admin, new_student):
    text = file(new_student(teacher_email=admin.email))
    assert problems(send(admin, "students", text)) == {2: f"No teacher has the e-mail address {admin.email}."}
    text = file(new_teacher(email=admin.email.upper()))
    assert problems(send(admin, "teachers", text)) == {2: "An account with this e-mail address exists already."}


def test_a_row_that_stands_twice_is_named_the_second_time(admin, new_student):
    one, other = new_teacher(), new_teacher()
    text = file(one, other, one | {"name": "Other", "email": one["email"].upper()})
    assert problems(send(admin, "teachers", text)) == {4: "This e-mail address stands on line 2 already."}
    one = new_student()
    text = file(one, new_student(), one | {"name": one["name"].upper()})
    assert problems(send(admin, "students", text)) == {4: "This student stands on line 2 already."}


def test_lines_are_those_of_the_file(admin):
    text = 'name,email\n\n"two\nlines",x\n\nA\nB,b@,c\n'
    assert problems(send(admin, "teachers", text)) == {
        3: "It must be an address like name@example.org.",
        6: "It has 1 cells, and the first line has 2.",
        7: "It has 3 cells, and the first line has 2.",
    }


# ---------------------------------------------------------------- what is no file of people

BROKEN = {
    "empty": "\n",
    "no rows": "name,email\n",
    "unknown column": "name,email,phone\nA,a@example.org,1\n",
    "missing column": "name\nA\n",
    "column twice": "name,email,name\nA,a@example.org,B\n",
    "open quote": 'name,email\n"A,a@example.org\n',
    "stray quote": 'name,email\nA"B,a@example.org\n',
    "too many rows": "name,email\n" + "A,a@example.org\n" * 2001,
    "not a table": "PK\x03\x04 this is a workbook",
    "students' columns": "name,teacher_email\nA,a@example.org\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_such_table_is_refused(app, admin, name):
    before = count(app, "teachers")
    answer = admin.post(PATH, {"kind": "teachers", "csv": BROKEN[name]})
    assert (answer.status, answer.field) == (400, "csv"), answer
    assert count(app, "teachers") == before


def test_what_is_wrong_is_said(admin):
    def said(text):
        return admin.post(PATH, {"kind": "teachers", "csv": text})["detail"]

    assert said("name,tele\x07phone\nA,1\n") == 'There is no column "tele?phone". There are: name, email.'
    assert said("name\nA\n") == "The first line must name the columns; email is missing."
    assert said('name,email\nA,"a\nB,b\n') == "Line 2: the quote that opens here does not close."
    assert said('name,email\n\nA,a"\n') == "Line 3: a quote stands where none may."


@pytest.mark.parametrize("body, field", [
    ({"csv": "name,email\nA,a@example.org"}, "kind"),
    ({"kind": "admins", "csv": "name,email\nA,a@example.org"}, "kind"),
    ({"kind": "teachers"}, "csv"),
    ({"kind": "teachers", "csv": ""}, "csv"),
    ({"kind": "teachers", "csv": 5}, "csv"),
    ({"kind": "teachers", "csv": "name,email\nA\x00,a@example.org"}, "csv"),
    ({"kind": "teachers", "csv": "name,email\nA,a@example.org", "dry_run": "yes"}, "dry_run"),
    ({"kind": "teachers", "csv": "name,email\nA,a@example.org", "role": "admin"}, "role"),
])  # fmt: skip
def test_a_wrong_field_is_refused_by_name(admin, body, field):
    answer = admin.post(PATH, body)
    assert (answer.status, answer.field) == (400, field), answer


def test_bytes_that_are_no_text_are_refused(admin):
    answer = admin.request("POST", PATH, b'{"kind":"teachers","csv":"name,email\\nA\xff,a@example.org"}')
    assert answer.status == 400, answer


def test_as_much_as_may_be_and_no_more(app, admin):
    before = count(app, "teachers")
    rows = [new_teacher() for _ in range(2000)]
    made = send(admin, "teachers", file(*rows))
    assert made["created"] == len(made["rows"]) == 2000 == count(app, "teachers") - before
    app.psql("DELETE FROM accounts WHERE name LIKE 'Imported %' AND password_hash IS NULL"
             " AND id NOT IN (SELECT teacher_id FROM students)")  # fmt: skip
    body = b'{"kind":"teachers","csv":"name,email\\n' + b"x" * (1 << 20) + b'"}'
    assert admin.request("POST", PATH, body).status == 413
    # nginx lets this pass, so it is the program that reads it.
    wide = file(new_student_of_nobody("x" * 900_000))
    answer = admin.post(PATH, {"kind": "students", "csv": wide, "dry_run": True})
    assert answer.status == 200 and problems(answer)


def new_student_of_nobody(note):
    return {"name": "Wide", "teacher_email": "nobody@example.com", "note": note}
