"""Faults in secrets and their readers."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.checks.render import Rendered
from pipeline.template.example_values import example
from tests.conftest import REGION
from tests.relations.planting import add, append, body, drop, put
from tests.relations.registry import Fault
from tests.relations.secrets import checks_secrets as secrets

CONTAINER = "ContainerDefinitions/0"
JWT_SECRET = example(
    REGION, "aws", "security", "JwtSecret", "AWS::SecretsManager::Secret", attribute=None
)


def without_statement(role: str, sid: str) -> Callable[[Rendered], None]:
    """The inline policies of a role lack a statement."""

    def plant(rendered: Rendered) -> None:
        for policy in body(rendered, role)["Properties"]["Policies"]:
            document = policy["PolicyDocument"]
            document["Statement"] = [each for each in document["Statement"] if each["Sid"] != sid]

    return plant


def without_the_key(rendered: Rendered) -> None:
    """A container gets the whole JSON of a secret."""
    secret = body(rendered, "ApiTaskDefinition")["Properties"]["ContainerDefinitions"][0][
        "Secrets"
    ][0]
    secret["ValueFrom"] = secret["ValueFrom"].split(":url")[0]


def with_a_wrong_key(rendered: Rendered) -> None:
    """A container gets a key that the secret does not have."""
    secret = body(rendered, "ApiTaskDefinition")["Properties"]["ContainerDefinitions"][0][
        "Secrets"
    ][0]
    secret["ValueFrom"] = secret["ValueFrom"].replace(":url::", ":password::")


def beat_gets_the_secrets_of_the_api(rendered: Rendered) -> None:
    """Beat gets all variables and secrets of the api."""
    api, beat = (
        body(rendered, name)["Properties"]["ContainerDefinitions"][0]
        for name in ("ApiTaskDefinition", "BeatTaskDefinition")
    )
    beat["Secrets"] = api["Secrets"]


def password_in_the_environment(rendered: Rendered) -> None:
    """The dynamic reference of the database's password, in an environment variable."""
    password = body(rendered, "Database")["Properties"]["MasterUserPassword"]
    container = body(rendered, "ApiTaskDefinition")["Properties"]["ContainerDefinitions"][0]
    container["Environment"].append({"Name": "DATABASE", "Value": password})


MASTER = '{"username": "carbon"}'


def told_of_another_user(rendered: Rendered) -> None:
    """The environment of the database's function names another user than the secret."""
    variables = body(rendered, secrets.FUNCTION)["Properties"]["Environment"]["Variables"]
    current = variables["CURRENT"]["Fn::Sub"]
    variables["CURRENT"] = {"Fn::Sub": current.replace("carbon_app_1", "carbon_app_7")}


def user_with_the_masters_password(rendered: Rendered) -> None:
    """The resource passes the master user's secret as that of the application's user."""
    properties = body(rendered, "DatabaseExtensions")["Properties"]
    properties["UserSecretArn"] = properties["SecretArn"]


def url_of_the_master_user(rendered: Rendered) -> None:
    """The URL of containers contains the master user's password."""
    master = body(rendered, "DatabaseExtensions")["Properties"]["SecretArn"]
    url = f"postgresql://carbon:{{{{resolve:secretsmanager:{master}:SecretString:password}}}}@h/d"
    body(rendered, "DatabaseUrl")["Properties"]["SecretString"] = url


def without_rotation(rendered: Rendered) -> None:
    """The worker's variables lack the version of the credentials."""
    container = body(rendered, "WorkerTaskDefinition")["Properties"]["ContainerDefinitions"][0]
    container["Environment"] = [
        each for each in container["Environment"] if each["Name"] != "DATABASE_ROTATION"
    ]


FAULTS = (
    Fault(
        "a secret without its key",
        secrets.references_name_a_key,
        "names no key of a secret",
        without_the_key,
    ),
    Fault(
        "a key that the secret does not have",
        secrets.references_name_a_key,
        "the key password of",
        with_a_wrong_key,
    ),
    Fault(
        "an execution role that may not read the secrets of the URLs",
        secrets.execution_roles_read_what_tasks_name,
        "ExecutionRole may not read CacheUrl",
        put("ConnectionUrlAccess", "PolicyDocument/Statement/0/Resource", [{"Ref": "DatabaseUrl"}]),
    ),
    Fault(
        "an execution role that may not decrypt",
        secrets.execution_roles_read_what_tasks_name,
        "may not decrypt with Key",
        without_statement("ExecutionRole", "DecryptThroughSecretsManagerOnly"),
    ),
    Fault(
        "an execution role that may decrypt in another region",
        secrets.execution_roles_read_what_tasks_name,
        "may not decrypt with Key",
        put(
            "ExecutionRole",
            "Policies/1/PolicyDocument/Statement/1/Condition/StringEquals/kms:ViaService",
            "secretsmanager.eu-west-1.amazonaws.com",
        ),
    ),
    Fault(
        "an execution role that is denied",
        secrets.execution_roles_read_what_tasks_name,
        "may not read JwtSecret",
        append(
            "ExecutionRole",
            "Policies/1/PolicyDocument/Statement",
            {"Sid": "No", "Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*"},
        ),
    ),
    Fault(
        "a reader of the database's password too many",
        secrets.secrets_have_exactly_their_readers,
        "DatabaseSecret is read by the roles ['BeatTaskRole', 'DatabaseExtensionsRole']",
        append(
            "BeatTaskRole",
            "Policies/0/PolicyDocument/Statement",
            {
                "Sid": "More",
                "Effect": "Allow",
                "Action": "secretsmanager:Get*",
                "Resource": {"Ref": "DatabaseSecret"},
            },
        ),
    ),
    Fault(
        "a secret without a reader",
        secrets.secrets_have_exactly_their_readers,
        "Unread is in only one",
        add("data", "Unread", "AWS::SecretsManager::Secret", SecretString="{}"),
    ),
    Fault(
        "a container with the secrets of another",
        secrets.secrets_have_exactly_their_readers,
        "JwtSecret is read by the containers ['api', 'beat']",
        beat_gets_the_secrets_of_the_api,
    ),
    Fault(
        "secrets in the hands of the placeholder",
        secrets.secrets_have_exactly_their_readers,
        "is read by the containers ['api']",
        put(
            "ApiTaskDefinition",
            f"{CONTAINER}/Secrets",
            [
                {
                    "Name": "JWT_SECRET",
                    "ValueFrom": f"{JWT_SECRET}:value::",
                }
            ],
        ),
        "dev",
    ),
    Fault(
        "a resource that resolves a secret of others",
        secrets.secrets_have_exactly_their_readers,
        "DatabaseSecret is read by the resources ['ApiTaskDefinition'",
        password_in_the_environment,
    ),
    Fault(
        "a literal password",
        secrets.containers_contain_no_password,
        "SMTP_PASSWORD of container worker",
        append(
            "WorkerTaskDefinition",
            f"{CONTAINER}/Environment",
            {"Name": "SMTP_PASSWORD", "Value": "tiger"},
        ),
    ),
    Fault(
        "a URL with its password",
        secrets.containers_contain_no_password,
        "PROXY of container worker",
        append(
            "WorkerTaskDefinition",
            f"{CONTAINER}/Environment",
            {"Name": "PROXY", "Value": "https://scott:tiger@proxy.example.com"},
        ),
    ),
    Fault(
        "a resolved password in the environment",
        secrets.containers_contain_no_password,
        "DATABASE of container api",
        password_in_the_environment,
    ),
    Fault(
        "a resolved password in the command",
        secrets.containers_contain_no_password,
        "The command of container beat",
        put("BeatTaskDefinition", f"{CONTAINER}/Command", ["sh", "{{resolve:secretsmanager:x}}"]),
    ),
    Fault(
        "a longer password",
        secrets.generated_secrets_are_frozen,
        "DatabaseSecret changed",
        put("DatabaseSecret", "GenerateSecretString/PasswordLength", 64),
    ),
    Fault(
        "a space less in a template",
        secrets.generated_secrets_are_frozen,
        "CacheSecret changed",
        put("CacheSecret", "GenerateSecretString/SecretStringTemplate", '{"username":"carbon"}'),
    ),
    Fault(
        "a secret that is generated no more",
        secrets.generated_secrets_are_frozen,
        "JwtSecret changed",
        drop("JwtSecret", "GenerateSecretString"),
    ),
    Fault(
        "another placeholder",
        secrets.placeholders_are_constant,
        "ClaudeApiKeySecret changed",
        put("ClaudeApiKeySecret", "SecretString", '{"value": ""}'),
    ),
    Fault(
        "another user than the secret's",
        secrets.users_are_those_of_their_secrets,
        "Database has the user app",
        put("Database", "MasterUsername", "app"),
    ),
    Fault(
        "containers that connect as the master user",
        secrets.containers_are_not_the_master_user,
        "Containers connect to the database as its master user carbon",
        put("DatabaseUserSecret", "GenerateSecretString/SecretStringTemplate", MASTER),
    ),
    Fault(
        "a URL before its user",
        secrets.containers_are_not_the_master_user,
        "DatabaseUrl may be written before DatabaseExtensions",
        drop("DatabaseUrl", "../DependsOn"),
    ),
    Fault(
        "a user with the master user's password",
        secrets.containers_are_not_the_master_user,
        "UserSecretArn of DatabaseExtensions is ['DatabaseSecret']",
        user_with_the_masters_password,
    ),
    Fault(
        "a function with another user",
        secrets.users_are_those_of_their_secrets,
        "DatabaseExtensionsFunction has the user carbon_app_7",
        told_of_another_user,
    ),
    Fault(
        "a task that keeps the old URL after a rotation",
        secrets.rotations_replace_tasks,
        "worker of WorkerTaskDefinition keeps the database's old URL",
        without_rotation,
    ),
    Fault(
        "a URL of the master user",
        secrets.secrets_have_exactly_their_readers,
        "DatabaseSecret is read by the resources ['Database', 'DatabaseUrl']",
        url_of_the_master_user,
    ),
    Fault(
        "an execution role that reads the master user's secret",
        secrets.secrets_have_exactly_their_readers,
        "DatabaseSecret is read by the roles ['DatabaseExtensionsRole', 'ExecutionRole']",
        append(
            "ExecutionRole",
            "Policies/1/PolicyDocument/Statement/0/Resource",
            {"Ref": "DatabaseSecret"},
        ),
    ),
    Fault(
        "a URL with another user",
        secrets.users_are_those_of_their_secrets,
        "DatabaseUrl does not name the user",
        put("DatabaseUrl", "SecretString", '{"url": "postgresql://postgres:x@host:5432/x"}'),
    ),
)
