"""Fixtures for tests against the instance that has a bot.

A module that names FIXTURES gets them in place of those of conftest.py with the same names.
"""

# pylint: disable=redefined-outer-name
import pytest

from conftest import sign_in_admin, student_maker, teacher_maker
from telegram import Updates, new_chat


@pytest.fixture(scope="module")
def app(telegram_app):
    return telegram_app


@pytest.fixture(scope="module")
def admin(app):
    return sign_in_admin(app)


@pytest.fixture(scope="module")
def make_teacher(app, admin):
    return teacher_maker(app, admin)


@pytest.fixture(scope="module")
def make_student(admin, make_teacher):
    return student_maker(admin, make_teacher)


@pytest.fixture
def telegram(app, telegram_server):
    """Telegram at its best, and nothing left to send from other tests."""
    telegram_server.forget()
    app.psql(
        "UPDATE messages SET state = 'dropped', next_at = NULL WHERE next_at IS NOT NULL",
        "UPDATE telegram_bots SET hold_until = NULL",
    )
    return telegram_server


@pytest.fixture
def updates(app):
    return Updates(app)


@pytest.fixture
def pair(make_teacher, make_student):
    """A teacher and a student, and the chat, which nobody else has."""

    def make(**fields):
        teacher = make_teacher()
        fields.setdefault("telegram_chat_id", new_chat())
        student = make_student(teacher, **fields)
        return teacher, student, student["telegram_chat_id"]

    return make


FIXTURES = (app, admin, make_teacher, make_student, telegram, updates, pair)
