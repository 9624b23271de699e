. /vm/lib.sh
mount -t bpf bpf /sys/fs/bpf
for p in porch_xdp porch_sk_state porch_arm porch_tick_once porch_seed porch_flows_txt; do
say "$(/vm/ld /vm/handshake.bpf.o $p 2>&1 | tail -12)"
done
veth_up
say "$(in_s porch attach s0 --listen '*:80' 2>&1; echo $?)"
say "$(in_s porch attach s0 --listen '*:80,protect=monitor' -v 2>&1 | tail -5)"
find /sys/fs/bpf
say "$(in_s porch doctor s0 2>&1)"
finish
