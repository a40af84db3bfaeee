#!/bin/sh
# Install what Qt needs of the system on Debian and Ubuntu: nothing else installs it, and Qt's wheels do not hold it.
# With it comes what tests drive a real window by: a screen, a window manager, a mouse and a keyboard; and a browser,
# where there is none and the system has a package of it.
# Does nothing where it is there already, and on other systems. Without the right to install, it prints the command.
set -eu

[ "$(uname -s)" = Linux ] && command -v apt-get >/dev/null 2>&1 || exit 0

wanted="libegl1 libgl1 libxkbcommon0 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 libxcb-cursor0 libxcb-icccm4
libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1
fonts-dejavu-core xvfb openbox xdotool"

missing=""
for name in $wanted; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q "ok installed" || missing="$missing $name"
done
ldconfig -p 2>/dev/null | grep -q "libglib-2.0.so.0" || missing="$missing libglib2.0-0"
browser=""
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && browser="$name"
done
if [ -z "$browser" ] && grep -qs "^ID=debian" /etc/os-release; then
    missing="$missing chromium"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    become=""
elif [ "${CI:-}" = true ] && sudo -n true 2>/dev/null; then
    become="sudo"
else
    echo "Qt needs system libraries that are missing. Install them once:"
    echo "    sudo apt-get install$missing"
    exit 0
fi
echo "Installing the system libraries that Qt needs:$missing"
export DEBIAN_FRONTEND=noninteractive
$become apt-get update -qq
# shellcheck disable=SC2086 # one word a package
$become apt-get install -qq -y --no-install-recommends $missing >/dev/null
