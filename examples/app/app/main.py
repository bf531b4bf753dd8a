"""The api: accepts documents, sends them to a worker and searches them; signs users in."""

from typing import Annotated, Any

from fastapi import Cookie, FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, Field

from app import database, settings, signing, worker

app = FastAPI(title="Carbon Connect")

Embedding = Annotated[list[float], Field(min_length=3, max_length=3)]


class Document(BaseModel):
    """A document with its embedding."""

    name: str
    embedding: Embedding


class Question(BaseModel):
    """Where to look."""

    embedding: Embedding


class SignIn(BaseModel):
    """The user who signs in. A real application verifies a password."""

    user: str


@app.get("/api/v1/health")
def health() -> dict[str, str]:
    """The health check of this process only.

    With a query of the database, its failover would make the load balancer replace every healthy task at once.
    """
    return {"status": "ok"}


@app.get("/api/v1/about")
def about() -> dict[str, str | bool]:
    """What the application's own settings say."""
    return {"welcome": settings.welcome(), "partner": settings.has_partner()}


@app.post("/api/v1/documents", status_code=202)
def remember(document: Document) -> dict[str, str]:
    """Send a document to a worker; returns the ID of the task."""
    return {"task": worker.remember.delay(document.name, document.embedding).id}


@app.get("/api/v1/tasks/{task}")
def task(task: str) -> dict[str, Any]:
    """The state of a task."""
    found = worker.app.AsyncResult(task)
    return {"state": found.state, "result": found.result if found.successful() else None}


@app.post("/api/v1/search")
def search(question: Question) -> dict[str, str | None]:
    """The nearest document."""
    with database.connect() as connection:
        row = connection.execute(
            "SELECT name FROM documents ORDER BY embedding <-> %s::vector LIMIT 1",
            (str(question.embedding),),
        ).fetchone()
    return {"name": row[0] if row else None}


@app.post("/api/v1/sign-in")
def sign_in(who: SignIn, response: Response) -> dict[str, str]:
    """A token in the answer, and a session in a cookie."""
    session = signing.sign(signing.SESSION, who.user)
    response.set_cookie("session", session, secure=True, httponly=True, samesite="strict")
    return {"token": signing.sign(signing.TOKEN, who.user)}


@app.get("/api/v1/user")
def user(authorization: Annotated[str, Header()] = "") -> dict[str, str]:
    """The user of a token."""
    return known(signing.user_of(signing.TOKEN, authorization.removeprefix("Bearer ")))


@app.get("/api/v1/session")
def current_session(session: Annotated[str, Cookie()] = "") -> dict[str, str]:
    """The user of a session."""
    return known(signing.user_of(signing.SESSION, session))


def known(user: str | None) -> dict[str, str]:
    """The user, or 401."""
    if user is None:
        raise HTTPException(401)
    return {"user": user}
