#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Process 1 of the guest: desktops one after the other, and what they hold on the host.
set -u
exec >/dev/console 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 SHELL=/bin/sh
export XDG_RUNTIME_DIR=/run/user SEATD_VTBOUND=0 WLR_LIBINPUT_NO_DEVICES=1
display=wayland-1

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mkdir -p /dev/pts /dev/shm /out
mount -t devpts devpts /dev/pts
for directory in /dev/shm /run /tmp; do
	mount -t tmpfs tmpfs "$directory"
done
mkdir -m 700 "$XDG_RUNTIME_DIR"
export LD_PRELOAD=/preload.so

# the host takes what there is
power_off() {
	tar cf /dev/vda -C /out .
	sync
	echo o >/proc/sysrq-trigger
	sleep 60
}
trap power_off EXIT

# in the background, where it takes the place of the shell
run() {
	exec "$@" >>"/out/$1.log" 2>&1
}

run seatd -g root &
sleep 1

until_started() {
	tries=0
	until [ -S "$XDG_RUNTIME_DIR/$display" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 120 ] || exit
		sleep 1
	done
}

weston_and_terminal() {
	run weston --backend=drm --renderer=gl --idle-time=0 \
		--continue-without-input --socket="$display" &
	compositor=$!
	until_started
	WAYLAND_DISPLAY=$display run weston-terminal &
}

sway_and_foot() {
	run sway -d &
	compositor=$!
	until_started
	WAYLAND_DISPLAY=$display run foot &
}

end() {
	kill "$compositor"
	wait "$compositor"
	rm -f "$XDG_RUNTIME_DIR/$display"*
}

# when nothing has happened for a while
census() {
	sleep 15
	cp /sys/kernel/debug/dri/0/virt_pm "/out/$1.census"
	echo "census of $1"
	sleep 5		# for a picture of it
}

glmark2() {
	WAYLAND_DISPLAY=$display run glmark2-es2-wayland -s 800x600 -b "$2:duration=100" &
	program=$!
	census "$1-glmark2-$2"
	kill "$program"
	wait "$program"
}

desktops() {
	weston_and_terminal
	census weston
	for scene in build terrain desktop shadow refract; do
		glmark2 weston "$scene"
	done
	census weston-glmark2-ended
	end
	sway_and_foot
	census sway
	glmark2 sway terrain
	end
}

# because of a program that draws all the time
frames() {
	export STREAMS=/out/streams
	"$1"
	unset STREAMS
	sleep 3
	WAYLAND_DISPLAY=$display run weston-simple-shm &
	while [ "$(stat -c %s /out/streams)" -lt 3200000 ]; do
		sleep 1
	done
	end
}

# A compositor and a program that draws all the time, stopped over S4: what is on the
# screen comes back without them. The host looks when it is told something.
sleep_and_go_on() {
	"$1"
	WAYLAND_DISPLAY=$display run glmark2-es2-wayland -s 800x600 -b build:duration=10000 &
	program=$!
	sleep 20
	kill -STOP "$program" "$compositor"
	sleep 2
	cp /sys/kernel/debug/dri/0/virt_pm /out/before.virt_pm
	echo "gl: stopped"
	sleep 5
	swapon /dev/vdb
	echo platform >/sys/power/disk
	echo disk >/sys/power/state || exit
	echo "gl: back"
	sleep 10
	kill -CONT "$compositor" "$program"
	sleep 5
	echo "gl: goes on"
	sleep 20
	cp /sys/kernel/debug/dri/0/virt_pm /out/after.virt_pm
	kill -0 "$compositor" && kill -0 "$program" && echo "gl: alive"
	end
}

case $(cat /proc/cmdline) in
*sleep=weston*) sleep_and_go_on weston_and_terminal ;;
*sleep=sway*) sleep_and_go_on sway_and_foot ;;
*frames=weston*) frames weston_and_terminal ;;
*frames=sway*) frames sway_and_foot ;;
*) desktops ;;
esac
