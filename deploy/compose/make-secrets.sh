#!/bin/sh
# Makes what compose.yaml reads: a random password of the database, its address, and one master key. Never writes over what is there.
# The master key opens every secret in the database: keep a copy of it outside this machine, away from the backups of the database.
set -eu
umask 077
cd "$(dirname "$0")"
folder=${1:-secrets}
# The user that the image of Evergrant runs as. PostgreSQL's image reads its password as root.
user=${EVERGRANT_USER:-10001}

for name in database_password database_url master_keys; do
  if [ -e "$folder/$name" ]; then
    echo "$folder/$name is there already: nothing was changed." >&2
    exit 1
  fi
done
mkdir -p "$folder"
password=$(openssl rand -hex 32)
printf '%s\n' "$password" > "$folder/database_password"
printf 'postgres://evergrant:%s@database:5432/evergrant\n' "$password" > "$folder/database_url"
printf 'k1:%s\n' "$(openssl rand -base64 32)" > "$folder/master_keys"
chmod 0400 "$folder"/*
if chown "$user:$user" "$folder/database_url" "$folder/master_keys" 2>/dev/null; then
  echo "Made $folder/: readable by user $user and by root alone."
else
  echo "Made $folder/. Give two files to the user of the container: sudo chown $user:$user $folder/database_url $folder/master_keys"
fi
