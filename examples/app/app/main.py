"""The api: takes documents, hands them to a worker, and finds them again."""

from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

from app import database, worker

app = FastAPI(title="Carbon Connect")

Embedding = Annotated[list[float], Field(min_length=3, max_length=3)]


class Document(BaseModel):
    """A document and where it lies among the others."""

    name: str
    embedding: Embedding


class Question(BaseModel):
    """Where to look."""

    embedding: Embedding


@app.get("/api/v1/health")
def health() -> dict[str, str]:
    """Whether this process answers, and nothing else.

    Were the database asked, its failover would make the load balancer replace every healthy task at once.
    """
    return {"status": "ok"}


@app.post("/api/v1/documents", status_code=202)
def remember(document: Document) -> dict[str, str]:
    """Hand a document to a worker; returns the task."""
    return {"task": worker.remember.delay(document.name, document.embedding).id}


@app.get("/api/v1/tasks/{task}")
def task(task: str) -> dict[str, Any]:
    """How far a task is."""
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
