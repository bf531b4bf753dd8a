"""Every line of docs/aws-architecture.txt, and the tests in this folder that check it.

A note says where the test differs from the text of the line.
"""

from tests.seed.table import columns, heading, held, section, syntax

END = syntax("end")
SETTINGS = columns("| Setting | Default | Description |")

OVERVIEW = section(
    "AWS Architecture",
    "test_overview",
    heading("AWS Architecture"),
    held(
        "Carbon Connect runs on AWS in the eu-north-1 (Stockholm) region using a hybrid serverless"
        " architecture with ECS Fargate for compute and managed services for data.",
        "test_stockholm_is_where_a_launch_goes",
        "test_fargate_computes_and_managed_services_keep_the_data",
        note="The search engine runs on a separate instance: AWS manages no Meilisearch.",
    ),
)

NODES = section(
    "Architecture Diagram: nodes",
    "test_diagram_nodes",
    heading("Architecture Diagram"),
    syntax("flowchart TB"),
    syntax("subgraph Internet"),
    held("U[Users / Browsers]", "test_users_and_browsers_reach_the_load_balancer"),
    held("GH[GitHub Actions<br/>CI/CD via OIDC]", "test_github_actions_has_a_role_by_oidc"),
    END,
    held('subgraph AWS["AWS eu-north-1"]', "test_aws_eu_north_1_is_where_everything_is"),
    held('subgraph Public["Public Subnets"]', "test_public_subnets_lead_to_the_internet_gateway"),
    held(
        "ALB[Application Load Balancer<br/>+ WAF]",
        "test_application_load_balancer_with_waf_is_in_public_subnets",
    ),
    held("NAT[NAT Gateway]", "test_nat_gateway_is_in_public_subnets"),
    END,
    held('subgraph Private["Private Subnets"]', "test_private_subnets_lead_to_nat_only"),
    held(
        'subgraph ECS["ECS Fargate Cluster"]',
        "test_ecs_fargate_cluster_runs_the_three_services_in_private_subnets",
    ),
    held("API[API Service<br/>FastAPI]", "test_api_service_serves_fastapi"),
    held("Worker[Celery Worker<br/>Fargate Spot]", "test_celery_worker_runs_on_fargate_spot"),
    held("Beat[Celery Beat<br/>Scheduler]", "test_celery_beat_schedules_alone"),
    END,
    held("MS[Meilisearch<br/>Search Engine]", "test_meilisearch_runs_in_private_subnets"),
    END,
    held('subgraph Data["Data Subnets"]', "test_data_subnets_have_no_route_out"),
    held(
        "RDS[(RDS PostgreSQL 16<br/>+ pgvector)]",
        "test_rds_postgresql_16_is_in_data_subnets",
        "test_rds_has_pgvector",
    ),
    held(
        "EC[(ElastiCache<br/>Valkey Serverless)]",
        "test_elasticache_valkey_is_in_data_subnets",
        note="Serverless in dev and staging; nodes in prod, as the tables below say.",
    ),
    END,
    held('subgraph Storage["S3 Buckets"]', "test_s3_buckets_are_passed_to_api_and_worker"),
    held("S3D[Documents Bucket]", "test_documents_bucket"),
    held("S3M[Media Bucket]", "test_media_bucket"),
    END,
    syntax('subgraph Security["Security"]'),
    held(
        "SM[Secrets Manager<br/>API Keys, DB Pass]",
        "test_secrets_manager_keeps_api_keys_and_database_password",
    ),
    held("IAM[IAM Roles<br/>OIDC Provider]", "test_iam_has_roles_and_the_oidc_provider"),
    held(
        "KMS[KMS<br/>Encryption Keys]",
        "test_kms_key_encrypts_database_cache_secrets_and_logs",
        note="One key.",
    ),
    END,
    syntax("subgraph Monitoring"),
    held("CW[CloudWatch<br/>Logs + Metrics]", "test_cloudwatch_has_logs_and_metrics"),
    held("CI[Container Insights]", "test_container_insights_is_on"),
    END,
    END,
)

ARROWS = section(
    "Architecture Diagram: arrows",
    "test_diagram_arrows",
    held("U -->|HTTPS| ALB", "test_users_to_load_balancer_over_https"),
    held("GH -->|OIDC| IAM", "test_github_to_iam_over_oidc"),
    held("ALB -->|Port 8000| API", "test_load_balancer_to_api_on_port_8000"),
    held("API --> RDS", "test_api_to_rds"),
    held("API --> EC", "test_api_to_elasticache"),
    held("API --> MS", "test_api_to_meilisearch", "test_api_is_told_where_meilisearch_is"),
    held("Worker --> RDS", "test_worker_to_rds"),
    held("Worker --> EC", "test_worker_to_elasticache"),
    held("Beat --> EC", "test_beat_to_elasticache"),
    held("API --> S3D", "test_api_to_documents_bucket"),
    held("API --> S3M", "test_api_to_media_bucket"),
    held("API --> SM", "test_api_to_secrets_manager"),
    held("ECS --> CW", "test_ecs_to_cloudwatch"),
    held("ECS --> CI", "test_ecs_to_container_insights"),
    held("Private -->|Outbound| NAT", "test_private_subnets_outbound_to_nat"),
    held("NAT -->|Internet| Internet", "test_nat_to_the_internet"),
)

VPC = section(
    "VPC Layout",
    "test_vpc",
    heading("VPC Layout"),
    held(
        "The VPC uses a three-tier subnet architecture across three availability zones:",
        "test_three_tiers_across_three_zones",
    ),
    columns("| Subnet Tier | CIDR Range | Purpose | Internet Access |"),
    held(
        "| Public | 10.0.0.0/20 - 10.0.32.0/20 | ALB, NAT Gateway | Direct (IGW) |",
        "test_public_tier",
    ),
    held(
        "| Private | 10.0.48.0/20 - 10.0.80.0/20 | ECS tasks, Meilisearch | Outbound only (NAT) |",
        "test_private_tier",
        "test_private_tier_holds_meilisearch",
    ),
    held(
        "| Data | 10.0.96.0/20 - 10.0.128.0/20 | RDS, ElastiCache | No internet access |",
        "test_data_tier",
    ),
    held("VPC CIDR: 10.0.0.0/16 (65,536 addresses)", "test_vpc_cidr_has_65536_addresses"),
    heading("Availability Zones"),
    held("eu-north-1a eu-north-1b eu-north-1c", "test_each_tier_has_a_subnet_in_zones_a_b_and_c"),
    heading("NAT Gateway Strategy"),
    held(
        "- Development/Staging: Single NAT Gateway (cost savings)",
        "test_development_and_staging_have_a_single_nat_gateway",
    ),
    held(
        "- Production: NAT Gateway per AZ (high availability)",
        "test_production_has_a_nat_gateway_per_zone",
    ),
)

DATABASE = section(
    "RDS PostgreSQL",
    "test_database",
    heading("Service Details"),
    heading("RDS PostgreSQL"),
    SETTINGS,
    held(
        "| Instance class | db.t4g.medium | Graviton ARM (20% savings over Intel) |",
        "test_instance_class_is_graviton",
        "test_instance_class_saves_12_percent_over_intel",
        note="12.2 % against db.t3.medium at the prices of pipeline/cost/prices.py, not 20 %.",
    ),
    held(
        "| Engine version | PostgreSQL 16 | With pgvector extension |",
        "test_engine_version_is_postgresql_16",
        note="The extension is that of the line Extensions.",
    ),
    held(
        "| Storage | 50 GB (auto-scale to 200 GB) | General Purpose SSD (gp3) |",
        "test_storage_is_50_gb_of_gp3_that_grows_to_200",
    ),
    held(
        "| Multi-AZ | false (dev), true (prod) | Standby replica for failover |",
        "test_multi_az_is_false_in_dev_and_true_in_prod",
        note="staging is as dev.",
    ),
    held(
        "| Backup retention | 7 days | Automated daily backups |",
        "test_backup_retention_is_7_days_of_daily_backups",
    ),
    held(
        "| Deletion protection | false (dev), true (prod) | Prevents accidental deletion |",
        "test_deletion_protection_is_false_in_dev_and_true_in_prod",
        note="staging is as dev.",
    ),
    held(
        "| Extensions | vector, uuid-ossp | pgvector for embedding search |",
        "test_extensions_are_vector_and_uuid_ossp",
    ),
)

CACHE = section(
    "ElastiCache (Valkey)",
    "test_cache",
    heading("ElastiCache (Valkey)"),
    SETTINGS,
    held(
        "| Engine | Valkey | 20% cheaper than Redis |",
        "test_engine_is_valkey",
        "test_engine_is_20_percent_cheaper_than_redis",
        note="20.0 % for the nodes of prod; the prices hold no serverless Redis to compare with.",
    ),
    held(
        "| Mode | Serverless (dev/staging) | Auto-scaling, pay-per-use |",
        "test_mode_is_serverless_in_dev_and_staging",
    ),
    held(
        "| Node type | cache.t4g.medium (prod) | Graviton ARM |",
        "test_node_type_is_graviton_in_prod",
    ),
    held(
        "| Nodes | 1 (dev), 2+ (prod) | Read replicas for production |",
        "test_nodes_are_1_in_dev_and_2_or_more_in_prod",
        note="dev is serverless and has no nodes; it has one where it is launched with nodes.",
    ),
)

DESIRED_COUNT = (
    "The least that scaling leaves running: a count in the service would be set by every update."
)
LEAST = "1 is the least that can be chosen; the profiles keep 2, which is the desired count."

ECS = section(
    "ECS Fargate",
    "test_ecs",
    heading("ECS Fargate"),
    heading("API Service:"),
    SETTINGS,
    held("| CPU | 1024 (1 vCPU) | Fargate compute units |", "test_api_cpu_is_1_vcpu"),
    held("| Memory | 2048 MB (2 GB) | Container memory |", "test_api_memory_is_2_gb"),
    held(
        "| Desired count | 2 | Running tasks |", "test_api_desired_count_is_2", note=DESIRED_COUNT
    ),
    held(
        "| Auto-scale | 1-10 | Based on CPU/memory utilization |",
        "test_api_auto_scales_from_1_to_10",
        "test_api_auto_scales_on_cpu_and_memory",
        note=LEAST,
    ),
    held(
        "| Capacity provider | Fargate (on-demand) | Guaranteed availability |",
        "test_api_capacity_is_on_demand",
        note="Not taken away once it runs; AWS guarantees no capacity to start with.",
    ),
    heading("Worker Service:"),
    SETTINGS,
    held("| CPU | 1024 (1 vCPU) | Fargate compute units |", "test_worker_cpu_is_1_vcpu"),
    held("| Memory | 2048 MB (2 GB) | Container memory |", "test_worker_memory_is_2_gb"),
    held(
        "| Desired count | 2 | Running tasks |",
        "test_worker_desired_count_is_2",
        note=DESIRED_COUNT,
    ),
    held(
        "| Auto-scale | 1-10 | Based on queue depth |",
        "test_worker_auto_scales_from_1_to_10",
        "test_worker_auto_scales_on_queue_depth",
        note=LEAST,
    ),
    held(
        "| Capacity provider | Fargate Spot | 70% cost savings |",
        "test_worker_capacity_is_spot",
        note="AWS promises up to 70 %; the saving is computed for the line under Cost Optimization.",
    ),
)

LOAD_BALANCER = section(
    "Application Load Balancer",
    "test_load_balancer",
    heading("Application Load Balancer"),
    columns("| Feature | Configuration |"),
    held("| Type | Application (Layer 7) |", "test_type_is_application"),
    held(
        "| Listeners | HTTP (80) -> HTTPS redirect, HTTPS (443) |",
        "test_listeners_are_http_that_redirects_and_https",
    ),
    held(
        "| Target group | API containers on port 8000 |",
        "test_target_group_is_api_containers_on_port_8000",
    ),
    held("| Health check | GET /api/v1/health |", "test_health_check_gets_api_v1_health"),
    held("| WAF | AWS WAF with rate limiting |", "test_waf_limits_rates_before_the_load_balancer"),
    held(
        "| WAF rate limit | 2000 requests per 5 minutes per IP |",
        "test_waf_rate_limit_is_2000_requests_in_5_minutes_per_ip",
    ),
)

BUCKETS = section(
    "S3 Buckets",
    "test_buckets",
    heading("S3 Buckets"),
    columns("| Bucket | Purpose | Lifecycle |"),
    held(
        "{project}-{env}-documents | Application documents, reports |"
        " Standard -> Intelligent-Tiering -> Glacier |",
        "test_documents_go_to_intelligent_tiering_and_then_to_glacier",
        note="Documents below 128 KB stay in Standard: moving one costs more than it saves.",
    ),
    held(
        "{project}-{env}-media | Company logos, images | Standard (no lifecycle) |",
        "test_media_stay_standard",
        note="Uploads that were never finished are cleared away; no object is.",
    ),
    held(
        "Both buckets have public access blocked and server-side encryption (AES-256).",
        "test_both_buckets_are_private_and_encrypted",
    ),
)

SECRETS = section(
    "Secrets Manager",
    "test_secrets",
    heading("Secrets Manager"),
    held(
        "The secrets module stores sensitive configuration:",
        "test_sensitive_configuration_is_in_secrets_manager",
    ),
    columns("| Secret | Description |"),
    held(
        "| Database password | Auto-generated RDS master password |",
        "test_database_password_is_generated",
    ),
    held(
        "| Application secrets | JWT secret, session key |",
        "test_application_secrets_are_jwt_secret_and_session_key",
    ),
    held("| Claude API key | Anthropic API key |", "test_claude_api_key"),
    held("| Climatiq API key | Carbon calculation API key |", "test_climatiq_api_key"),
    held("| Meilisearch key | Search engine master key |", "test_meilisearch_key"),
)

SECURITY = section(
    "Security",
    "test_security",
    heading("Security"),
    heading("Network Security"),
    held(
        "- Public subnets: Only ALB and NAT Gateway",
        "test_public_subnets_have_only_load_balancer_and_nat",
    ),
    held(
        "- Private subnets: ECS tasks with outbound-only internet access",
        "test_private_subnets_have_ecs_tasks_that_only_go_out",
    ),
    held(
        "- Data subnets: No internet access, only accessible from private subnets",
        "test_data_subnets_are_reached_from_private_subnets_only",
    ),
    held(
        "- Security groups enforce least-privilege network access",
        "test_security_groups_let_in_and_out_what_is_needed",
    ),
    heading("IAM"),
    held(
        "- ECS task execution role: Pull images from ECR, read secrets",
        "test_execution_role_pulls_images_and_reads_secrets",
        note="And write the logs of the tasks that it starts.",
    ),
    held(
        "- ECS task role: Access S3, Secrets Manager, CloudWatch",
        "test_task_roles_use_s3_secrets_manager_and_cloudwatch",
        note="A role for each service; that of beat, which needs neither, has CloudWatch only.",
    ),
    held(
        "- GitHub Actions: OIDC-based federation (no long-lived credentials)",
        "test_github_actions_has_no_long_lived_credentials",
    ),
    heading("Encryption"),
    held(
        "- RDS: Encrypted at rest (AES-256 via KMS)",
        "test_rds_is_encrypted_at_rest_under_the_kms_key",
    ),
    held(
        "- ElastiCache: Encryption in transit and at rest",
        "test_elasticache_is_encrypted_in_transit_and_at_rest",
    ),
    held("- S3: Server-side encryption (AES-256)", "test_s3_is_encrypted_with_aes_256"),
    held("- ALB: TLS 1.2+ for all HTTPS traffic", "test_load_balancer_speaks_tls_1_2_or_later"),
)

COSTS = section(
    "Cost Optimization",
    "test_costs",
    heading("Cost Optimization"),
    columns("| Strategy | Service | Savings |"),
    held(
        "| Graviton (ARM64) | RDS, ElastiCache | ~20% |",
        "test_graviton_saves_12_percent_on_rds_and_5_percent_on_elasticache",
        "test_graviton_saves_20_percent_on_fargate",
        note="12.2 % on RDS and 4.9 % on ElastiCache against t3; what saves 20.0 % is Fargate.",
    ),
    held(
        "| Fargate Spot | Celery workers | ~70% |",
        "test_fargate_spot_is_for_celery_workers_and_saves_at_most_70_percent",
        note="At most: AWS sets the price by supply and demand, and promises up to 70 %.",
    ),
    held(
        "| Valkey Serverless | Cache (dev/staging) | Pay-per-use |",
        "test_valkey_serverless_is_paid_per_use",
        note="From a minimum of 0.1 GB on, which costs 85.7 % less than a node of prod.",
    ),
    held(
        "| S3 Intelligent-Tiering | Documents | Automatic tier optimization |",
        "test_s3_intelligent_tiering_is_for_documents",
    ),
    held(
        "| Single NAT Gateway | Non-production | ~66% NAT cost |",
        "test_single_nat_gateway_saves_two_thirds_of_the_hourly_price",
        note="66.7 % of the hourly price; what a gigabyte costs stays the same.",
    ),
)

LINES = (
    *OVERVIEW,
    *NODES,
    *ARROWS,
    *VPC,
    *DATABASE,
    *CACHE,
    *ECS,
    *LOAD_BALANCER,
    *BUCKETS,
    *SECRETS,
    *SECURITY,
    *COSTS,
)
