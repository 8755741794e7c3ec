#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Process 1 of the guest: desktops one after the other, and what they hold on the host.
set -u
exec >/dev/console 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 SHELL=/bin/sh
export XDG_RUNTIME_DIR=/run/user SEATD_VTBOUND=0 WLR_LIBINPUT_NO_DEVICES=1
display=wayland-1
mark='glmark2-es2-wayland'

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
	until [ -S "$1" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 120 ] || exit
		sleep 1
	done
}

weston_and_terminal() {
	run weston --backend=drm --renderer=gl --idle-time=0 \
		--continue-without-input --socket="$display" &
	compositor=$!
	until_started "$XDG_RUNTIME_DIR/$display"
	WAYLAND_DISPLAY=$display run weston-terminal &
}

sway_and_foot() {
	run sway -d &
	compositor=$!
	until_started "$XDG_RUNTIME_DIR/$display"
	WAYLAND_DISPLAY=$display run foot &
}

# Xorg draws with glamor; nothing tells it what devices there are
xorg_and_xterm() {
	cat >/tmp/xorg.conf <<-END
		Section "Device"
			Identifier "gpu"
			Driver "modesetting"
			Option "kmsdev" "/dev/dri/card0"
		EndSection
		Section "ServerFlags"
			Option "AutoAddDevices" "false"
		EndSection
	END
	export DISPLAY=:0
	run Xorg "$DISPLAY" -config /tmp/xorg.conf -noreset -novtswitch -s 0 -nocursor &
	compositor=$!
	until_started /tmp/.X11-unix/X0
	run xterm &
	mark='glmark2-es2'
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

draw() {
	WAYLAND_DISPLAY=$display run "$mark" -s "$1" -b "$2:duration=10000"
}

glmark2() {
	draw 800x600 "$2" &
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

word() {
	sed -n "s/.*\<$1=\([^ ]*\).*/\1/p" /proc/cmdline
}

# Programs that draw all the time and their compositor, stopped over S4: what is on the
# screen comes back without them. One is killed when it goes on, each time later after
# that. The host looks when it is told something.
sleep_and_go_on() {
	"$1"
	draw 800x600 build &
	program=$!
	swapon /dev/vdb
	echo platform >/sys/power/disk
	cycle=0
	while [ "$cycle" -lt "$cycles" ]; do
		cycle=$((cycle + 1))
		draw 300x200 texture &
		killed=$!
		sleep 20
		# Xorg draws into what is on the screen, and tells later
		kill -STOP "$program" "$killed"
		sleep 2
		kill -STOP "$compositor"
		sleep 1
		cp /sys/kernel/debug/dri/0/virt_pm "/out/before-$cycle.virt_pm"
		echo "gl: $cycle stopped"
		sleep 5
		echo disk >/sys/power/state || exit
		echo "gl: $cycle back"
		sleep 10
		kill -CONT "$compositor" "$program" "$killed"
		sleep "0.$(((cycle * 3 - 3) % 10))"
		kill -KILL "$killed"
		wait "$killed"
		sleep 5
		echo "gl: $cycle goes on"
		sleep 20
		kill -0 "$compositor" && kill -0 "$program" || exit
		cp /sys/kernel/debug/dri/0/virt_pm "/out/after-$cycle.virt_pm"
	done
	echo "gl: alive"
	end
}

cycles=$(word cycles)
case $(word sleep),$(word frames) in
weston,) sleep_and_go_on weston_and_terminal ;;
sway,) sleep_and_go_on sway_and_foot ;;
xorg,) sleep_and_go_on xorg_and_xterm ;;
,weston) frames weston_and_terminal ;;
,sway) frames sway_and_foot ;;
*) desktops ;;
esac
