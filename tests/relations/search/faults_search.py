"""Faults in the search server and its volume."""

from __future__ import annotations

from pipeline.checks.render import Rendered
from tests.relations.data import checks_data as data
from tests.relations.planting import Plant, body, drop, follow_capacity_only, put
from tests.relations.registry import Fault
from tests.relations.search import checks_search as search


def with_setting(name: str, value: str) -> Plant:
    """The server's user data has another value in a setting."""

    def plant(rendered: Rendered) -> None:
        template = body(rendered, "SearchLaunchTemplate")["Properties"]["LaunchTemplateData"]
        parts = template["UserData"]["Fn::Base64"]["Fn::Join"][1]
        header = parts[0]["Fn::Sub"]
        lines = [
            f"{name}={value}" if line.startswith(f"{name}=") else line
            for line in header.splitlines()
        ]
        parts[0]["Fn::Sub"] = "\n".join(lines)

    return plant


def in_another_zone(rendered: Rendered) -> None:
    """The server starts in the zone of the api's second subnet."""
    network = body(rendered, "ApiService")["Properties"]["NetworkConfiguration"]
    second = network["AwsvpcConfiguration"]["Subnets"][1]
    body(rendered, "SearchGroup")["Properties"]["VPCZoneIdentifier"] = [second]


def told_of_another_port(rendered: Rendered) -> None:
    """The worker looks for search on another port."""
    container = body(rendered, "WorkerTaskDefinition")["Properties"]["ContainerDefinitions"][0]
    for variable in container["Environment"]:
        if variable["Name"] == "MEILISEARCH_URL":
            variable["Value"] = variable["Value"].replace("7700", "7701")


def told_nothing(rendered: Rendered) -> None:
    """The api has no variable with the address of search."""
    container = body(rendered, "ApiTaskDefinition")["Properties"]["ContainerDefinitions"][0]
    container["Environment"] = [
        each for each in container["Environment"] if each["Name"] != "MEILISEARCH_URL"
    ]


FAULTS = (
    Fault(
        "two holders of one volume",
        search.search_server_is_in_the_zone_of_its_volume,
        "the volume one holder",
        put("SearchGroup", "MaxSize", "2"),
    ),
    Fault(
        "a server in another zone than its volume",
        search.search_server_is_in_the_zone_of_its_volume,
        "starts in ['PrivateSubnet2']",
        in_another_zone,
    ),
    Fault(
        "a second server before the first one has ended",
        search.search_server_is_in_the_zone_of_its_volume,
        "before the first one releases",
        put("SearchGroup", "../UpdatePolicy/AutoScalingRollingUpdate/MinInstancesInService", 1),
    ),
    Fault(
        "a server on another port than its group",
        search.search_is_reached_where_it_answers,
        "the server answers on 7701",
        with_setting("PORT", "7701"),
    ),
    Fault(
        "a server under another name",
        search.search_is_reached_where_it_answers,
        "but it is find.carbon-connect-prod.internal:7700",
        put("SearchRecord", "Name", "find.carbon-connect-prod.internal"),
    ),
    Fault(
        "a name outside of the private zone",
        search.stack_owns_the_address_of_search,
        "is no name of the zone",
        put("SearchRecord", "Name", "meilisearch.internal"),
    ),
    Fault(
        "the name of the record of earlier releases",
        search.stack_owns_the_address_of_search,
        "that the server of 1.0.0 and 1.1.0 created",
        put("SearchRecord", "Name", "search.carbon-connect-prod.internal"),
    ),
    Fault(
        "a record of another address",
        search.stack_owns_the_address_of_search,
        "points to ['10.0.48.17']",
        put("SearchRecord", "ResourceRecords", ["10.0.48.17"]),
    ),
    Fault(
        "an interface in another subnet",
        search.stack_owns_the_address_of_search,
        "is not in the subnet of SearchGroup",
        put("SearchInterface", "SubnetId", "subnet-0123456789abcdef0"),
    ),
    Fault(
        "an interface without the group of the server",
        search.stack_owns_the_address_of_search,
        "does not have the security group",
        put("SearchInterface", "GroupSet", ["sg-0123456789abcdef0"]),
    ),
    Fault(
        "an api that starts before the name of search exists",
        search.stack_owns_the_address_of_search,
        "ApiService may look up",
        follow_capacity_only,
    ),
    Fault(
        "a worker that looks on another port",
        search.search_is_reached_where_it_answers,
        "WorkerTaskDefinition looks for search",
        told_of_another_port,
    ),
    Fault(
        "an api that does not know where search is",
        search.search_is_reached_where_it_answers,
        "['migration', 'worker'] have the address",
        told_nothing,
    ),
    Fault(
        "credentials for every program",
        search.search_server_protects_its_credentials,
        "gives its role to every program",
        put("SearchLaunchTemplate", "LaunchTemplateData/MetadataOptions/HttpTokens", "optional"),
    ),
    Fault(
        "credentials for containers",
        search.search_server_protects_its_credentials,
        "gives its role to every program",
        drop("SearchLaunchTemplate", "LaunchTemplateData/MetadataOptions/HttpPutResponseHopLimit"),
    ),
    Fault(
        "a key pair",
        search.search_server_protects_its_credentials,
        "reached by SSH",
        put("SearchLaunchTemplate", "LaunchTemplateData/KeyName", "operations"),
    ),
    Fault(
        "a volume that goes with its stack",
        data.deletion_policies_match_the_table,
        "SearchVolume has the policies ('Delete', 'Retain')",
        put("SearchVolume", "../DeletionPolicy", "Delete"),
    ),
)
