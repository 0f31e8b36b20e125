# The same evidence as that of jobs/evidence.py, by a shell: shell.sh EVIDENCE_FOLDER
lock=$1/$FERRY_JOB_ID.lock
who="{\"job\": $FERRY_JOB_ID, \"batch\": $FERRY_BATCH_ID, \"pid\": $$}"
exec 9<>"$lock"
if ! flock -n 9; then
  echo "{\"crime\": \"ran twice at once\", \"this\": $who, \"holder\": \"\"}" >>"$1/crimes.jsonl"
  exit 99
fi
echo "$who" >"$lock"
echo "$who" >>"$1/$FERRY_JOB_ID.jsonl"
echo shell
exec 2>/dev/null # what a shell says of children that were killed depends on the shell
sleep 0.1
sleep 0.1 &
wait
printf %s "$FERRY_BATCH_ID" >"$FERRY_JOB_DIR/done"
