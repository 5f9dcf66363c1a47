#!/usr/bin/env bash
# Converts the Keras and the PyTorch model, serves both from one process, posts a picture and shows both answers; then keeps
# serving until Ctrl-C, or ends with --once:  demo.sh ONWARD [--once]
set -euo pipefail
onward=${1:?usage: demo.sh ONWARD [--once]}
once=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
work="$(dirname "$onward")/demo"
mkdir -p "$work"

say() { printf '\n== %s\n' "$*"; }
die() { printf 'demo: error: %s\n' "$*" >&2; exit 1; }

server=
stop() {
  [ -n "$server" ] || return 0
  kill -TERM "$server" 2>/dev/null || true
  wait "$server" || return 1
  server=
}
trap 'stop || true' EXIT

say "Convert"
"$onward" convert "$here/Model.keras" -o "$work/tf.onnx"
"$onward" convert "$here/Model.pt2" -o "$work/torch.onnx"

say "Serve"
: >"$work/server.log"
"$onward" serve "tf=$work/tf.onnx" "torch=$work/torch.onnx" --host 127.0.0.1 --http 0 >"$work/server.log" 2>&1 &
server=$!
url=
for _ in $(seq 300); do
  url=$(sed -n 's/^serving .* on \(http:[^ ]*\) .*/\1/p' "$work/server.log")
  [ -z "$url" ] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
cat "$work/server.log"
[ -n "$url" ] || die "the server did not start"

say "Predict: sample1.png, 512 x 512 pixels, to both models in one request"
python3 "$here/client.py" "$url" "$here/sample1.png"

if [ "$once" = --once ]; then
  stop || die "the server did not end cleanly"
  exit 0
fi
say "Still serving on $url (Ctrl-C ends)"
echo "  again:  python3 examples/segmentation/client.py $url examples/segmentation/sample2.png"
trap 'trap - INT TERM; stop; exit' INT TERM
wait "$server"
