#!/usr/bin/env bash
# Drop a file, follow it to its model, have clients scored, read the rows. Takes curl 7.84 or newer, and jq.
set -euo pipefail
shopt -s inherit_errexit

# With a token of Microsoft Entra: "Authorization: Bearer $token". curl asks again after 429 (too many requests) and
# 503 (not now), when Retry-After says.
ask() {
  curl --silent --show-error --retry 100 --header "x-functions-key: $CAMPANHA_KEY" "$@"
}

url() { # LINK: an address of the API; what answers name themselves may have its host and version already
  case $1 in http*) echo "$1" ;; *) echo "$CAMPANHA_URL$1?api-version=2026-11-29" ;; esac
}

finished() { # LINK: asks until nothing more is to come; an answer that may still change has Retry-After
  local status tag='"none"' again=yes held new
  while [ -n "$again" ]; do
    new=$(ask --fail --header "If-None-Match: $tag" --write-out '\n%{http_code} %header{etag} %header{retry-after}' "$(url "$1")&wait=5")
    read -r status tag again <<<"${new##*$'\n'}"
    [ "$status" = 304 ] || held=${new%$'\n'*}
  done
  echo "$held"
}

sent() { # LINK FILE: sends a file, and gives what the operation was about, once it is over
  local key operation
  key=$(od -An -tx1 -N16 /dev/urandom | tr -d ' \n') # sent again with it, the request does nothing twice
  operation=$(ask --fail --header 'Content-Type: text/csv' --header "Idempotency-Key: $key" --data-binary "@$2" \
    --output /dev/null --write-out '%header{operation-location}' "$(url "$1")")
  finished "$(finished "$operation" | jq -r .resourceLocation)"
}

upload=$(sent "/api/uploads/$(basename "$1")" "$1")
run=$(finished "$(jq -r .links.run <<<"$upload")")
model=$(finished "$(jq -r .links.model <<<"$upload")")
echo "upload $(jq -r .state <<<"$upload"), run $(jq -r .state <<<"$run"), model $(jq -r .state <<<"$model")"

dataset=$(jq -r .dataset <<<"$model")
jq '{data: [.]}' "$3" | ask --fail --json @- --output /dev/null "$(url "/api/endpoints/$dataset/score")"
echo scored

batch=$(sent "/api/batches/$(basename "$2")" "$2")
rows=$(finished "$(jq -r .links.rows <<<"$batch")")
echo "batch $(jq -r '"\(.state), \(.rows)"' <<<"$batch") rows with $(jq -r '.columns[-4:] | join(", ")' <<<"$rows")"

code=$(ask --request POST --output /dev/null --write-out '%header{x-ms-error-code}' "$(url "/api/models/$dataset/999/promote")")
echo "refused: $code"
