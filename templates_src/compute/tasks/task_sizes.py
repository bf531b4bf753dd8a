"""CPU and memory of the tasks: the pairs that Fargate supports, as allowed values and rules."""

from __future__ import annotations

from collections.abc import Mapping

from troposphere import Equals, Ref

from templates_src.core.layer import Layer, Rule
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration, choice
from templates_src.core.parameters.shared import new_tasks

GIB = 1024
# Memory in MiB by CPU units: of the values that the form offers, the pairs that Fargate supports.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
TASK_SIZES: Mapping[str, tuple[str, ...]] = {
    "256": ("512", "1024", "2048"),
    "512": tuple(str(gib * GIB) for gib in (1, 2, 3, 4)),
    "1024": tuple(str(gib * GIB) for gib in (2, 3, 4, 5, 6, 7, 8)),
    "2048": tuple(str(gib * GIB) for gib in (4, 5, 6, 7, 8, 10, 12, 14, 16)),
    "4096": tuple(str(gib * GIB) for gib in (8, 10, 12, 14, 16, 20, 24, 28, 30)),
}
CPU_UNITS = tuple(TASK_SIZES)
MEMORY_MIB = tuple(sorted({size for sizes in TASK_SIZES.values() for size in sizes}, key=int))


def cpu(service: str, default: str) -> Declaration:
    """CPU of a service's tasks, in units of 1/1024 vCPU."""
    return choice(
        f"{service}Cpu",
        group=groups.of_service(service),
        label=f"{service}: CPU units",
        description=f"CPU of a task of {service.lower()}; 1024 are one vCPU. {new_tasks(service)}",
        allowed=CPU_UNITS,
        default=default,
    )


def memory(service: str, default: str) -> Declaration:
    """Memory of a service's tasks, in MiB."""
    return choice(
        f"{service}Memory",
        group=groups.of_service(service),
        label=f"{service}: memory (MiB)",
        description=f"Memory of a task of {service.lower()}; {service}Cpu decides which sizes exist. {new_tasks(service)}",
        allowed=MEMORY_MIB,
        default=default,
    )


def require_task_size(layer: Layer, cpu: Declaration, memory: Declaration) -> None:
    """Reject a pair that Fargate does not offer: one rule per CPU size. ECS would reject it only after the data layer."""
    for units, sizes in TASK_SIZES.items():
        layer.rule(
            Rule(
                f"{memory.name}FitsCpu{units}",
                parameters=(cpu, memory),
                when=Equals(Ref(cpu.name), units),
                # troposphere has no class for this function, which exists only in rules.
                holds={"Fn::Contains": [list(sizes), Ref(memory.name)]},
                message=f"{memory.name} must be {', '.join(sizes[:-1])} or {sizes[-1]} when {cpu.name} is {units}.",
            )
        )
