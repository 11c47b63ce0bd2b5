"""The examples of docs/mounting.md that are in a Django project, served by uvicorn."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.docs.pages import Block
from tests.docs.taken import taken
from tests.docs.terminal import Terminal

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
AROUND, WITH_ITS_SESSION = taken("python", page="mounting.md", having="get_asgi_application")

SETTINGS = """\
SECRET_KEY = "of this test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "mysite.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "host.db"}}
"""
URLS = """\
from django.contrib.auth import authenticate, login
from django.http import HttpResponse
from django.urls import path


def other(request):
    return HttpResponse("the host's own page")


def sign_in(request, password):
    login(request, authenticate(request, username="ada", password=password))
    request.session["org_id"] = "org_1"
    return HttpResponse("welcome")


def visit(request):
    request.session["seen"] = 1
    return HttpResponse("hello")


urlpatterns = [path("api/other", other), path("sign-in/<password>", sign_in), path("visit", visit)]
"""
PREPARE = """\
export DJANGO_SETTINGS_MODULE=mysite.settings PYTHONPATH=.
python -m django migrate --verbosity 0
python -m django shell --command '
from django.contrib.auth.models import User
User.objects.create_user("ada", password="enchantress")'
"""
NEW_PASSWORD = """\
python -m django shell --command '
from django.contrib.auth.models import User
ada = User.objects.get(username="ada")
ada.set_password("another")
ada.save()'
"""


@contextmanager
def served(block: Block, folder: Path, terminal: Terminal) -> Iterator[httpx.Client]:
    """The example as the project's ``asgi.py``; ``terminal`` has the project's environment."""
    project = folder / "mysite"
    project.mkdir()
    for name, text in (("settings", SETTINGS), ("urls", URLS), ("asgi", block.text)):
        (project / f"{name}.py").write_text(text)
    (folder / "margins.toml").write_text('[plans.orgs]\norg_1 = "pro"\n')
    terminal.run(PREPARE)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with Terminal(folder, folder) as server:
        server.start(f"uvicorn mysite.asgi:app --port {port}", "Application startup complete.")
        # uvicorn says so before it listens.
        patient = httpx.HTTPTransport(retries=5)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=patient) as client:
            yield client
        server.interrupt()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path, tmp_path) as opened:
        yield opened


def test_the_product_is_around_the_host(terminal: Terminal, tmp_path: Path) -> None:
    with served(AROUND, tmp_path, terminal) as client:
        assert client.get("/api/other").text == "the host's own page"
        assert client.get("/api/margins").status_code == 401


def test_who_is_signed_in_with_djangos_session_is_signed_in_here(
    terminal: Terminal, tmp_path: Path
) -> None:
    with served(WITH_ITS_SESSION, tmp_path, terminal) as client:
        assert client.get("/api/margins").status_code == 401
        assert client.get("/visit").text == "hello"
        assert client.get("/api/margins").status_code == 401
        assert client.get("/sign-in/enchantress").text == "welcome"
        assert client.get("/api/margins").status_code == 200
        assert client.get("/margins").status_code == 200
        terminal.run(NEW_PASSWORD)
        assert client.get("/api/margins").status_code == 401
