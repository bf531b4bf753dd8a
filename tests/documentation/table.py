"""Every block of the pages: who runs it, or why it is only parsed, or what it is if it has no commands."""

from __future__ import annotations

from tests.documentation.blocks import Place

# Blocks that hold no commands.
NO_COMMANDS = {
    Place("README.md", "The layers"): "a drawing",
    Place("docs/access.md", "Check"): "a policy",
    Place("docs/access.md", "IAM Identity Center", 1): "an ARN",
    Place("docs/access.md", "IAM Identity Center", 2): "a line of catalog.yaml",
    Place("docs/access.md", "IAM Identity Center", 3): "the value of a parameter",
    Place("docs/architecture.md", "The parts"): "a drawing",
    Place("docs/architecture.md", "How publishing works"): "a drawing",
    Place("docs/diagnosis.md", "While you wait"): "output",
    Place("docs/firewall.md", "An upload returns 403", 1): "a query of CloudWatch Logs Insights",
    Place("docs/firewall.md", "An upload returns 403", 2): "a query of CloudWatch Logs Insights",
    Place(
        "docs/launching.md", "With Sceptre", 1
    ): "two files, which tests/launches/test_clients.py writes",
    Place("docs/migrations.md", "What happens in an update"): "output",
    Place("docs/publishing.md", "What a release can break"): "notes of a release",
    Place("docs/publishing.md", "Sharing", 1): "lines of catalog.yaml",
    Place("docs/rotation.md", "Database credentials"): "SQL",
    Place("docs/scaling.md", "How the workers scale"): "output",
    Place("docs/scaling.md", "Delayed jobs, an hour without Spot, and scale-in"): "output",
    Place("docs/scaling.md", "How to choose WorkerBacklogTarget"): "a formula",
    Place("docs/settings.md", "Read them"): "Python",
    Place("docs/templates.md", "A parameter is declared once"): "Python",
    Place("docs/templates.md", "Layers are connected by name"): "Python",
    Place("docs/templates.md", "Refusals before a launch"): "Python",
    Place("docs/templates.md", "How to add …"): "Python",
}

# Blocks that a test of another folder runs. The test reads the block from the page.
RUN_ELSEWHERE = {
    "tests/account/test_environments.py": (
        Place("docs/check.md", "Check an account before a launch", 1),
        Place("docs/check.md", "Check an account before a launch", 2),
        Place("docs/check.md", "What was launched"),
    ),
    "tests/launches/test_readme.py": (Place("README.md", "Launch it in an account"),),
    "tests/launches/test_layers_alone.py": (Place("docs/launching.md", "Launch one layer alone"),),
    "tests/launches/test_clients.py": (Place("docs/launching.md", "With Sceptre", 2),),
    "tests/provisioning/test_cli.py": tuple(
        Place("docs/launching.md", "With the AWS CLI", number) for number in range(1, 5)
    ),
    "tests/publishing/test_documentation.py": (
        Place("docs/publishing.md", "Sharing", 2),
        Place("docs/publishing.md", "Sharing", 3),
        Place("docs/publishing.md", "Sharing > Removing principals and shares"),
    ),
}

# Sections of docs/recovery.md, and the test that performs each drill.
DRILLS = {
    "Recovery": "tests/recovery/page.py",
    "The database, to a point in time": "tests/recovery/test_point_in_time.py",
    "The database, from a snapshot": "tests/recovery/test_snapshot.py",
    "A document": "tests/recovery/test_document.py",
    "The search index": "tests/recovery/test_search_index.py",
}

# Blocks that are only parsed, each with the reason.
PARSED = {
    Place("docs/cost.md", "Monthly cost"): "tests/cost/test_command.py runs each form",
    Place(
        "docs/pages.md", "The site of an environment"
    ): "tests/pages/test_writer.py writes the files",
    Place(
        "CONTRIBUTING.md", "2. Change, build, look"
    ): "writes dist/ of the working tree; tests/test_command_line.py builds and lints a copy",
    Place("CONTRIBUTING.md", "3. Test", 1): "runs the tests, which .ci/run does",
    Place("CONTRIBUTING.md", "3. Test", 2): "installs a Git hook; needs the network",
    Place(
        "README.md", "Try it, without an account"
    ): "runs the tests, which .ci/run does; tests/test_machine_settings.py launches",
    Place(
        "docs/launching.md", "Choosing a region"
    ): "lints for minutes; tests/test_regions.py and tests/test_command_line.py run both commands",
    Place(
        "docs/launching.md", "See a change before you make it"
    ): "takes seconds for each form; tests/changes/test_command.py runs each",
    Place(
        "docs/migrations.md", "Going back to an older image"
    ): "the update of the page's first block with other values",
    Place(
        "docs/publishing.md", "The first publication, step by step", 1
    ): "the next block prints the same plan; tests/publishing/test_commands.py runs it",
    Place(
        "docs/testing.md", "taskcat", 2
    ): "needs an account and hours; tests/taskcat runs it on the embedded AWS",
    Place(
        "docs/testing.md", "taskcat", 3
    ): "installs taskcat from PyPI; tests/taskcat/test_alone.py runs it in an environment with taskcat alone",
    Place("docs/testing.md", "Running parts"): "runs the tests, which .ci/run does",
}
