"""Relations between parameter values that CloudFormation's rules cannot express, because they compare numbers."""

from __future__ import annotations

from collections.abc import Mapping

# Task sizes of Fargate: CPU units to memory in MiB.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
FARGATE_MEMORY: Mapping[int, frozenset[int]] = {
    256: frozenset((512, 1024, 2048)),
    512: frozenset(range(1024, 4096 + 1, 1024)),
    1024: frozenset(range(2048, 8192 + 1, 1024)),
    2048: frozenset(range(4096, 16384 + 1, 1024)),
    4096: frozenset(range(8192, 30720 + 1, 1024)),
    8192: frozenset(range(16384, 61440 + 1, 4096)),
    16384: frozenset(range(32768, 122880 + 1, 8192)),
}

# The first may not exceed the second.
ORDERED = (
    ("ApiMinTasks", "ApiMaxTasks"),
    ("WorkerMinTasks", "WorkerMaxTasks"),
    ("DatabaseAllocatedStorage", "DatabaseMaxAllocatedStorage"),
)
# The first must be below the second: S3 refuses two transitions on one day.
STRICTLY_ORDERED = (("DocumentsIntelligentTieringDays", "DocumentsGlacierDays"),)
FARGATE_SIZES = (("ApiCpu", "ApiMemory"), ("WorkerCpu", "WorkerMemory"), ("BeatCpu", "BeatMemory"))


def check_relations(values: Mapping[str, str]) -> str | None:
    """What is wrong between the values, in one sentence that names the parameters, or None.

    Every value has passed its own declaration; relations between parameters that are not given are left out.
    """
    for low, high in ORDERED:
        if {low, high} <= values.keys() and int(values[low]) > int(values[high]):
            return f"{low} ({values[low]}) is over {high} ({values[high]}); lower the first or raise the second."
    for low, high in STRICTLY_ORDERED:
        if {low, high} <= values.keys() and int(values[low]) >= int(values[high]):
            return f"{low} ({values[low]}) must be below {high} ({values[high]})."
    for cpu, memory in FARGATE_SIZES:
        if {cpu, memory} <= values.keys():
            sizes = FARGATE_MEMORY[int(values[cpu])]
            if int(values[memory]) not in sizes:
                return (
                    f"Fargate has no task of {cpu} {values[cpu]} with {memory} {values[memory]}; "
                    f"with that CPU {memory} may be {min(sizes)} to {max(sizes)}, in Fargate's steps."
                )
    return None
