#!/bin/bash
# Boots the search server: Meilisearch on a volume that outlives its instance.
# User data of Amazon Linux 2023; the settings (docs/search-server.md) stand in
# /etc/search-server/settings, NAME=value a line. Ends with a signal to CloudFormation.
# SYSTEM_ROOT, a folder, takes the place of / for every path: tests set it.
set -euo pipefail
set -o errtrace
shopt -s nullglob

readonly root="${SYSTEM_ROOT:-}"
readonly configuration="$root/etc/search-server"
readonly data="$root/var/lib/meilisearch"
readonly programs="$root/usr/local/sbin"
readonly units="$root/etc/systemd/system"
readonly log="$root/var/log/search-server-boot.log"
readonly errors="$root/run/search-server-error"
readonly required=(REGION STACK_NAME LOGICAL_RESOURCE_ID VOLUME_ID SECRET_ARN IMAGE PORT
  INTERFACE_ID ADDRESS LOG_GROUP METRIC_NAMESPACE ENVIRONMENT)
instance=unknown

say() { printf 'search-server: %s\n' "$*" | tee -a "$log" >&2; }

fail() {
  say "FAILED: $*"
  exit 1
}

last_error() { tr -s '\n' ' ' <"$errors"; }

# attempt TRIES COMMAND...
attempt() {
  local tries=$1 count
  shift
  for ((count = 1; count <= tries; count++)); do
    if "$@" 2>"$errors"; then return; fi
    say "Attempt $count of $tries of $1 $2 ${3:-} failed: $(last_error)"
    sleep "$RETRY_SECONDS"
  done
  return 1
}

amazon() {
  AWS_PAGER='' aws --region "$REGION" --output text \
    --cli-connect-timeout 10 --cli-read-timeout 60 "$@"
}

load_settings() {
  # shellcheck source=/dev/null
  . "$configuration/settings" || fail "$configuration/settings cannot be read."
  : "${RETRY_SECONDS:=10}" "${VOLUME_ATTEMPTS:=60}" "${HEALTH_ATTEMPTS:=60}"
  : "${METADATA_URL:=http://169.254.169.254}"
}

check_settings() {
  local name
  for name in "${required[@]}"; do
    [[ -n ${!name:-} ]] || fail "The setting $name is missing in $configuration/settings."
  done
  [[ $IMAGE =~ :v([0-9]+\.[0-9]+\.[0-9]+)(@sha256:[0-9a-f]{64})?$ ]] ||
    fail "IMAGE must end in an exact tag such as :v1.54.0 (a digest may follow), not $IMAGE."
  version=${BASH_REMATCH[1]}
}

metadata() {
  curl -fsS --max-time 5 -H "X-aws-ec2-metadata-token: $token" "$METADATA_URL/latest/meta-data/$1"
}

identify_instance() {
  local token
  token=$(attempt 5 curl -fsS --max-time 5 -X PUT \
    -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$METADATA_URL/latest/api/token") ||
    fail "The instance metadata service gave no token: $(last_error)"
  instance=$(attempt 5 metadata instance-id) || fail "The instance has no id: $(last_error)"
}

install_engine() {
  attempt 5 dnf install --assumeyes --quiet docker e2fsprogs ||
    fail "docker could not be installed: $(last_error)"
  systemctl enable --now docker.service
  attempt 5 docker pull --quiet "$IMAGE" || fail "$IMAGE could not be pulled: $(last_error)"
}

describe_volume() {
  amazon ec2 describe-volumes --volume-ids "$VOLUME_ID" \
    --query 'Volumes[0].[State,Attachments[0].InstanceId,Attachments[0].State]'
}

# Never by force: the instance that is going away may still be writing.
attach_volume() {
  local count description state holder attachment refused=0
  for ((count = 1; count <= VOLUME_ATTEMPTS; count++)); do
    description=$(attempt 3 describe_volume) ||
      fail "The volume $VOLUME_ID cannot be described: $(last_error)"
    read -r state holder attachment <<<"$description"
    case "$state/$holder/$attachment" in
      "in-use/$instance/attached") return ;;
      available/*)
        if ! amazon ec2 attach-volume --volume-id "$VOLUME_ID" --instance-id "$instance" \
          --device /dev/sdf >/dev/null 2>"$errors"; then
          say "Attaching $VOLUME_ID was refused: $(last_error)"
          # Another instance took it first, or this one is not yet running: both pass.
          grep -qE 'VolumeInUse|IncorrectState' "$errors" || refused=$((refused + 1))
          ((refused < 5)) || fail "The volume $VOLUME_ID cannot be attached: $(last_error)"
        fi
        ;;
      error/*) fail "The volume $VOLUME_ID is in state error. Restore it from a snapshot." ;;
      *) say "Waiting for $VOLUME_ID: $state, held by $holder ($attachment)." ;;
    esac
    sleep "$RETRY_SECONDS"
  done
  fail "The volume $VOLUME_ID did not come free: $state, held by $holder. End that instance."
}

# Whether answers from ADDRESS leave through its interface. amazon-ec2-net-utils adds the address
# and the routing rule some seconds after the interface is attached.
routes_answers() {
  local name=none
  read -r _ name _ < <(ip -4 -o address show to "$ADDRESS") || true
  [[ $(ip -4 route get 192.0.2.1 from "$ADDRESS") == *" dev $name "* ]]
}

# The stack owns the interface; an instance releases it when it terminates.
attach_interface() {
  local count attached='' refused=0
  for ((count = 1; count <= VOLUME_ATTEMPTS; count++)); do
    if routes_answers 2>/dev/null; then return; fi
    if [[ -n $attached ]]; then
      say "Waiting for $ADDRESS on $INTERFACE_ID."
    elif amazon ec2 attach-network-interface --network-interface-id "$INTERFACE_ID" \
      --instance-id "$instance" --device-index 1 >/dev/null 2>"$errors"; then
      attached=yes
    else
      say "Attaching $INTERFACE_ID was refused: $(last_error)"
      grep -qE 'InUse|IncorrectState' "$errors" || refused=$((refused + 1))
      ((refused < 5)) || fail "The interface $INTERFACE_ID cannot be attached: $(last_error)"
    fi
    sleep "$RETRY_SECONDS"
  done
  [[ -n $attached ]] || fail "Another instance holds $INTERFACE_ID. End that instance."
  fail "$INTERFACE_ID is attached, but answers from $ADDRESS do not leave through it."
}

# The link is udev's word, the serial number the kernel's: both must name it.
find_device() {
  local count serial_file serial='no serial number' expected=${VOLUME_ID/-/}
  link="$root/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_$expected"
  for ((count = 1; count <= 12; count++)); do
    if [[ -e $link ]]; then break; fi
    sleep "$RETRY_SECONDS"
  done
  [[ -e $link ]] || fail "The volume $VOLUME_ID is attached, but $link does not appear."
  device=$(readlink -f "$link")
  serial_file="$root/sys/class/block/${device##*/}/device/serial"
  if [[ -r $serial_file ]]; then serial=$(tr -d '[:space:]' <"$serial_file"); fi
  [[ $serial == "$expected" ]] ||
    fail "Wrong device: $device has $serial, not $expected. Nothing was written to it."
}

# blkid answers 2 for an empty device and for one that it cannot read: zeros tell them apart.
make_file_system() {
  local status=0 type
  type=$(blkid --probe --output value --match-tag TYPE "$device") || status=$?
  case "$status/$type" in
    0/ext4) say "$device holds a file system: kept." ;;
    2/)
      cmp --silent --bytes=8388608 "$device" /dev/zero ||
        fail "$device is neither empty nor a known file system. It was not formatted."
      say "$device is empty: making a file system."
      mkfs.ext4 -q -m 1 -L search "$device"
      ;;
    *) fail "$device holds '$type' (blkid: $status) instead of ext4. It was not formatted." ;;
  esac
}

check_and_grow_file_system() {
  local status=0
  e2fsck -f -p "$device" || status=$?
  # 1: faults mended. 4 and more: not mended, or not checked.
  ((status <= 1)) || fail "The file system on $device needs repair by hand (e2fsck: $status)."
  resize2fs "$device" || fail "The file system on $device could not be grown."
}

mount_volume() {
  local fstab="$root/etc/fstab"
  mkdir -p "$data"
  if mountpoint --quiet "$data"; then return; fi
  make_file_system
  check_and_grow_file_system
  touch "$fstab"
  sed -i "\\# $data #d" "$fstab"
  printf '%s %s ext4 noatime,nofail,x-systemd.device-timeout=60 0 2\n' "$link" "$data" >>"$fstab"
  mount --fstab "$fstab" "$data" || fail "$device could not be mounted on $data."
}

is_older() { [[ $(printf '%s\n' "$1" "$2" | sort --version-sort | head -n 1) == "$1" ]]; }

# A folder a version: Meilisearch upgrades in place and opens no newer database, so a failed or
# rolled-back upgrade needs the old one.
prepare_index() {
  local index="$data/v$version" needed free
  previous=''
  if [[ -s $data/current ]]; then previous=$(<"$data/current"); fi
  if [[ -z $previous ]]; then
    mkdir -p "$index"
  elif [[ $previous != "$version" ]]; then
    if is_older "$version" "$previous"; then
      [[ -d $index ]] || fail "The index is of $previous: $version cannot read it. Set IMAGE to" \
        "$previous, or empty $data and index anew."
      say "Back from $previous to the copy of $version."
    else
      needed=$(du --summarize --block-size=1 "$data/v$previous" | cut -f 1)
      free=$(df --output=avail --block-size=1 "$data" | tail -n 1)
      ((free > needed)) || fail "The copy of the index for $version needs $needed bytes, $free" \
        "are free. Enlarge the volume $VOLUME_ID."
      say "Upgrading from $previous to $version, on a copy."
      rm -rf "$index" "$data/partial"
      cp --archive "$data/v$previous" "$data/partial"
      sync
      mv "$data/partial" "$index"
    fi
  fi
  [[ -d $index ]] || fail "$index is missing. Restore a snapshot, or empty $data."
  rm -rf "$data/tmp"
  mkdir -p "$data"/{tmp,dumps,snapshots}
  chown -R 1000:1000 "$data"
}

keep_current_and_previous() {
  local index
  printf '%s\n' "$version" >"$data/current.new"
  mv "$data/current.new" "$data/current"
  for index in "$data"/v*; do
    case "${index##*/v}" in
      "$version" | "$previous") ;;
      *) rm -rf "$index" ;;
    esac
  done
}

# The key goes through a variable to a file of root's: never onto a command line.
write_environment() {
  local key file="$configuration/meilisearch.env"
  key=$(attempt 5 amazon secretsmanager get-secret-value --secret-id "$SECRET_ARN" \
    --query SecretString) || fail "The secret $SECRET_ARN cannot be read: $(last_error)"
  if [[ -n ${SECRET_FIELD:-} ]]; then
    key=$(python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' \
      "$SECRET_FIELD" <<<"$key" 2>/dev/null) ||
      fail "The secret $SECRET_ARN is not JSON with a field $SECRET_FIELD."
  fi
  [[ $key =~ ^[[:graph:]]{16,}$ ]] ||
    fail "The secret $SECRET_ARN must be 16 or more characters without a space."
  limit_memory
  install -m 0600 /dev/null "$file"
  # One switch: MEILI_UPGRADE_DB since 1.51, the other name from 1.13 to 1.50.
  printf '%s\n' "MEILI_MASTER_KEY=$key" MEILI_ENV=production MEILI_NO_ANALYTICS=true \
    "MEILI_HTTP_ADDR=0.0.0.0:$PORT" "MEILI_DB_PATH=/meili_data/v$version/data.ms" \
    MEILI_DUMP_DIR=/meili_data/dumps MEILI_SNAPSHOT_DIR=/meili_data/snapshots \
    "MEILI_MAX_INDEXING_MEMORY=$((memory / 2))" "MEILI_MAX_INDEXING_THREADS=$indexing_threads" \
    MEILI_UPGRADE_DB=true MEILI_EXPERIMENTAL_DUMPLESS_UPGRADE=true TMPDIR=/meili_data/tmp >"$file"
}

# Leaves 512 MiB to the system. The kernel then ends Meilisearch, not the instance, when memory
# runs out; indexing, which may exceed its limit, gets half of the server's.
limit_memory() {
  local total
  read -r _ total _ <"$root/proc/meminfo"
  memory=$(((total - 524288) * 1024))
  indexing_threads=$((($(nproc) + 1) / 2))
}

# RequiresMountsFor: without the volume no server, rather than an empty index.
write_server_unit() {
  cat >"$units/meilisearch.service" <<UNIT
[Unit]
Requires=docker.service
Wants=network-online.target
After=docker.service network-online.target
RequiresMountsFor=$data
StartLimitIntervalSec=0
[Service]
ExecStartPre=-/usr/bin/docker rm --force meilisearch
ExecStart=/usr/bin/docker run --rm --name meilisearch --env-file $configuration/meilisearch.env \
 --mount type=bind,source=$data,target=/meili_data --publish 127.0.0.1:$PORT:$PORT \
 --memory $memory --memory-swap $memory \
 --user 1000:1000 --read-only --cap-drop ALL --security-opt no-new-privileges \
 --ulimit nofile=65536:65536 --log-driver awslogs --log-opt awslogs-region=$REGION \
 --log-opt awslogs-group=$LOG_GROUP --log-opt awslogs-stream=meilisearch/$instance \
 --log-opt mode=non-blocking $IMAGE
ExecStop=/usr/bin/docker stop -t 60 meilisearch
TimeoutStopSec=90
Restart=always
RestartSec=5
[Install]
WantedBy=multi-user.target
UNIT
}

# check_health FOLDER COUNT_FILE: reports each minute. Without an answer it restarts Meilisearch
# every 5 minutes. After 15, when the alarm is on, it ends the instance, which the group replaces,
# but only once in 24 hours: a new instance does not repair a broken index.
check_health() {
  local healthy=0 failures=0 ended=0 where="Dimensions=[{Name=Environment,Value=$ENVIRONMENT}]"
  if curl -fsS --max-time 5 --output /dev/null "http://$ADDRESS:$PORT/health"; then healthy=1; fi
  if [[ -s $2 ]]; then failures=$(<"$2"); fi
  failures=$((healthy ? 0 : failures + 1))
  echo "$failures" >"$2"
  amazon cloudwatch put-metric-data --namespace "$METRIC_NAMESPACE" --metric-data \
    "MetricName=SearchHealthy,Value=$healthy,$where" \
    "MetricName=SearchVolumeUsed,Unit=Percent,Value=$(df --output=pcent "$1" | tr -dc 0-9),$where" ||
    true
  if ((failures == 0 || failures % 5)); then return; fi
  if [[ -s $1/ended ]]; then ended=$(<"$1/ended"); fi
  if ((failures >= 15 && EPOCHSECONDS - ended > 86400)); then
    echo "$EPOCHSECONDS" >"$1/ended"
    shutdown --poweroff now 'Meilisearch does not answer.'
  else
    systemctl restart --no-block meilisearch.service search-address.service
  fi
}

# Answers of a container that publishes on ADDRESS would miss the routing rule, which is by source
# address, and leave through the first interface. So a process of the host listens there.
# Restart with its delay runs search-health every minute.
write_companion_units() {
  local program="$programs/search-companion"
  {
    printf '#!/bin/bash\nset -euo pipefail\n'
    declare -f amazon check_health
    printf '"$@"\n'
  } >"$program"
  chmod 0755 "$program"
  cat >"$units/search-address.socket" <<UNIT
[Socket]
ListenStream=$ADDRESS:$PORT
FreeBind=yes
[Install]
WantedBy=sockets.target
UNIT
  cat >"$units/search-address.service" <<UNIT
[Unit]
Requires=search-address.socket
After=search-address.socket
[Service]
ExecStart=/usr/lib/systemd/systemd-socket-proxyd --connections-max=4096 127.0.0.1:$PORT
DynamicUser=yes
UNIT
  cat >"$units/search-health.service" <<UNIT
[Service]
EnvironmentFile=$configuration/settings
ExecStart=$program check_health $data $root/run/search-failures
Restart=always
RestartSec=58
[Install]
WantedBy=multi-user.target
UNIT
}

wait_for_health() {
  local count
  for ((count = 1; count <= HEALTH_ATTEMPTS; count++)); do
    if curl -fsS --max-time 5 --output /dev/null "http://$ADDRESS:$PORT/health" 2>"$errors"; then
      return
    fi
    sleep "$RETRY_SECONDS"
  done
  fail "Meilisearch did not answer 200 on /health in $HEALTH_ATTEMPTS attempts: $(last_error)" \
    "Its log is the stream meilisearch/$instance of $LOG_GROUP."
}

# Refused where no stack waits, as when the group replaces an instance by itself.
signal() {
  say "Signal to $LOGICAL_RESOURCE_ID: $1."
  amazon cloudformation signal-resource --stack-name "$STACK_NAME" \
    --logical-resource-id "$LOGICAL_RESOURCE_ID" --unique-id "$instance" --status "$1" \
    2>"$errors" || say "CloudFormation did not take the signal: $(last_error)"
}

# The instance may be gone before anyone looks.
publish_log() {
  local events stream=(--log-group-name "$LOG_GROUP" --log-stream-name "boot/$instance")
  events=$(python3 -c 'import json, sys, time
print(json.dumps([{"timestamp": int(time.time() * 1000), "message": sys.stdin.read()}]))' <"$log")
  amazon logs create-log-stream "${stream[@]}" 2>"$errors" || say "No new stream: $(last_error)"
  amazon logs put-log-events "${stream[@]}" --log-events "$events" >/dev/null 2>"$errors" ||
    say "The boot log stays on the instance: $(last_error)"
}

# A failed instance can be looked at for a while, then stops, and the group replaces it.
finish() {
  local status=$?
  trap - EXIT ERR
  set +eu
  if ((status == 0)); then signal SUCCESS; else signal FAILURE; fi
  publish_log
  if ((status != 0)); then shutdown --poweroff +15 'The search server did not boot.'; fi
  exit "$status"
}

main() {
  mkdir -p "$configuration" "$programs" "$units" "${log%/*}" "${errors%/*}"
  : >"$errors"
  trap finish EXIT
  trap 'say "Line $LINENO ended with status $?."' ERR
  load_settings
  identify_instance
  check_settings
  install_engine
  attach_volume
  attach_interface
  find_device
  mount_volume
  prepare_index
  write_environment
  write_server_unit
  write_companion_units
  systemctl daemon-reload
  systemctl enable meilisearch.service
  systemctl restart meilisearch.service
  systemctl enable search-address.socket
  systemctl restart search-address.socket
  wait_for_health
  keep_current_and_previous
  systemctl enable --now search-health.service
  say "Meilisearch $version answers at $ADDRESS:$PORT."
}

main
