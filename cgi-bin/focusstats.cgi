#!/bin/sh
# FocusStats on a shared host: the settings, and then the program, which lies beside this script in cgi-bin. A script,
# because such hosts often hand no variables of an .htaccess to programs. apache-conf/htaccess says how the parts go together.

# The data folder: yours alone, outside of every folder that the web server serves. It is made when it is missing.
FOCUSSTATS_HOME=$(getent passwd "$(id -u)" | cut -d : -f 6)/focusstats
# The web server asks for name and password; the service refuses a request that comes without a name.
FOCUSSTATS_AUTH=required
export FOCUSSTATS_HOME FOCUSSTATS_AUTH

exec "$(dirname "$0")/focusstats.fcgi"
