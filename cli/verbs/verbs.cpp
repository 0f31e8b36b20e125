#include "cli/verbs/verbs.hpp"

#include <array>

namespace ferry::cli {
namespace {

constexpr std::string_view submit_details =
    R"(A parameter is written key=value; the value is a number, true, false, null, a list or an object where it reads as one in
JSON, else text. weights.vis=0.5 reaches into an object; key:=JSON is always JSON, key=@FILE the text of a file.

  ferry submit upscale --param source=/pictures/china.jpg --param scale=2
  ferry submit command -- python3 train.py --epochs 3
  ferry submit --from jobs.jsonl           one {"type": …, "params": {…}} a line

With --wait or --follow ferry ends with the job's own exit status (128 + the signal that ended it, else 1 when it did not
complete). A submit survives a restart of the daemon: it is sent again and counted once.)";

constexpr std::string_view group_details =
    R"(`ferry submit --group NAME` puts a job into a group, which needs no other preparation.

  ferry group                      all groups that have jobs or settings
  ferry group night --parallel 2   at most two of its jobs run at once; 0: no limit
  ferry group night --pause        none of them is started until --unpause; what runs goes on

Others are not kept waiting by jobs of a group that is full or paused.)";

constexpr std::string_view edit_details =
    R"(Without options, $VISUAL or $EDITOR is opened on the job's name, priority and parameters as JSON.
`--param key=null` takes a parameter away. Only queued jobs can be edited.)";

constexpr std::string_view suspend_details =
    R"(A job that announces checkpoints is asked (TERM) to write one and leave, and continues from it after `ferry resume`; any other begins
anew then. `ferry suspend --all` frees the whole machine.)";

constexpr std::string_view resume_details =
    R"(The same job makes another attempt, from its newest checkpoint. With --as-new the job stays as it is and a new one, linked to it,
continues its work.)";

constexpr std::string_view run_details =
    R"(Reads the configuration that ferryd would read, checks the parameters as it would, and runs the command here and now: no daemon, no
queue, no log. Ends with the command's exit status, or 128 + the signal that ended it.)";

constexpr std::string_view simulate_details =
    R"(TRACE is a table (CSV) whose first line names its columns: when each job arrived, how long it took, and any others, which are its
parameters. What the daemon would have done with it is played in virtual time.

  ferry simulate day.csv --devices 2 --load 20 --warm-key model --same steps --estimate steps,width --policy learned,fifo --svg day.svg

Options for columns may be given several times, or several columns with commas.)";

constexpr std::string_view batches_details =
    R"(The policy is played forward over the jobs that wait now, as it will decide; nothing is started by looking. Also while the queue is
paused. What is saved is measured: what such jobs took alone, and what sharing a run cost.)";

constexpr std::string_view upload_details =
    R"(A file goes to the daemon's machine, and its path there is what a parameter takes. The same content under the same name is stored once.

  ferry submit upscale --param source=$(ferry upload -q china.jpg)
  ferry upload clips/ --dataset cats          all that is below clips/; what is there already is replaced
  ferry upload a.png b.png --dataset cats --path holidays/

What arrives is compared with what was read. Where the connection breaks it goes on; an upload that was ended is kept for a day, and
`ferry upload --resume ID FILE` goes on with it.)";

constexpr std::string_view datasets_details =
    R"(  ferry datasets                      all of them
  ferry datasets show cats            its files
  ferry datasets create cats          an empty one; `ferry upload --dataset cats` makes it as well
  ferry datasets remove cats a/b.png  files of it
  ferry datasets remove cats          all of it)";

constexpr std::string_view artifacts_details =
    R"(Of a job that runs in parts, paths begin with the batch of each part.

  ferry artifacts 42                          what it has left in its directory, also while it runs
  ferry artifacts 42 --get --to results/      all of it
  ferry artifacts 42 '*.png' --get            by name: whole paths, folders, or patterns
  ferry artifacts 42 --tar - | tar t          as one archive

A file that is there in the same size and of the same time is not fetched again; any other is left alone unless --force is given. What broke off
goes on where it was, unless the job has written the file anew.)";

constexpr std::string_view up_details =
    R"(Starts `ferryd` in the background where none answers, waits until it serves, and prints the link to its page; opens that in the browser
where there is a terminal and a display. Where one runs already, it prints the link alone. The daemon is the one beside this program, else the
one in the PATH; what it says goes to ferryd.log in its data directory.

  ferry up                          for this login
  systemctl --user enable --now ferryd     for each, where the unit is installed)";

constexpr std::string_view down_details =
    R"(Running jobs go on, and the next daemon follows them. To end all work as well: `ferry suspend --all` before, which puts it back into the queue.)";

constexpr std::string_view ui_details =
    R"(The link holds the token of the daemon's owner, which the page turns into a cookie. From another machine, forward the port first:
ssh -L 7878:127.0.0.1:7878 HOST, and open what `ferry ui --print` says there.)";

constexpr std::string_view token_details =
    R"(`ferry token add ada --role submit` makes a token and shows it once; only its hash is kept. Jobs submitted with it are ada's. With the
role submit one sees everything, submits jobs and changes one's own; jobs run with the rights of the daemon's user whoever submits them.)";

constexpr std::string_view nodes_details =
    R"(A machine lends its devices to this daemon, its head, when its ferry.toml says `[node] join = "HOST:PORT"`: that is where the head lets nodes
in (`[node] listen`). Both need a certificate of one authority: `ferry help certs`. A node that is away is listed until `ferry node remove`.)";

constexpr std::string_view node_details =
    R"(  ferry node drain worker1     nothing new is started there; what runs goes on
  ferry node resume worker1    it takes work again
  ferry node remove worker1    it is forgotten until it joins again; refused while it is connected or may still run something

`ferry node remove --force` gives up what an absent node may still run, to start it elsewhere. It is for machines that are known to be off:
else a job may run twice.)";

constexpr std::string_view certs_details =
    R"(Nodes know each other by certificates that one authority has signed. On the machine that keeps the authority's key:

  ferry certs init                               make the authority, once
  ferry certs issue worker1 --host worker1.lab   make a node's key and certificate, and say what goes where
  ferry certs issue worker1 --renew              another year for it
  ferry certs show                               all of them, and how long each is valid; status 1 if one has expired

Any certificate of the authority may do everything that nodes do, and none can be revoked: where a key is lost, make another authority.)";

constexpr std::string_view completion_details = R"(  bash: ferry completion bash > ~/.local/share/bash-completion/completions/ferry
  zsh:  ferry completion zsh > "${fpath[1]}/_ferry"
  fish: ferry completion fish > ~/.config/fish/completions/ferry.fish)";

constexpr std::array verbs{
    verb{"submit", "", "put a job in the queue, or many from a file", submit_details, make_submit},
    verb{"queue", "", "what runs now, and what waits, in order", "", make_queue},
    verb{"list", "ls", "jobs of any state, newest first", "", make_list},
    verb{"show", "", "everything about a job", "", make_show},
    verb{"explain", "why", "why a queued job waits, and when it is to start", "", make_explain},
    verb{"logs", "log", "what a job has written", "", make_logs},
    verb{"wait", "", "wait until jobs have ended; status 0 only if all completed", "", make_wait},
    verb{"cancel", "", "take jobs out of the queue, or end them with all their processes", "", make_cancel},
    verb{"hold", "", "keep queued jobs, or all of a type, from starting", "", make_hold},
    verb{"release", "", "let held jobs, or all of a type, start again", "", make_release},
    verb{"pause", "", "start nothing new; what runs goes on", "", make_pause},
    verb{"unpause", "", "start jobs again", "", make_unpause},
    verb{"group", "", "groups of jobs: how many of one may run at once, and whether it is paused", group_details, make_group},
    verb{"move", "", "move a queued job to another place within its priority", "", make_move},
    verb{"priority", "", "give a queued job another priority (0-100, larger first)", "", make_priority},
    verb{"edit", "", "change a queued job's parameters, name or priority", edit_details, make_edit},
    verb{"retry", "", "queue failed or cancelled jobs again", "", make_retry},
    verb{"suspend", "", "stop running jobs for now: they give their device back and stay in the queue", suspend_details,
         make_suspend},
    verb{"resume", "", "go on with jobs that were suspended, failed or cancelled", resume_details, make_resume},
    verb{"clear", "", "take finished jobs off the lists", "", make_clear},
    verb{"status", "", "the daemon, its devices and counts", "", make_status},
    verb{"upload", "", "send files to the daemon's machine", upload_details, make_upload},
    verb{"datasets", "", "the datasets and their files", datasets_details, make_datasets},
    verb{"artifacts", "files", "the files that a job has made: list or fetch them", artifacts_details, make_artifacts},
    verb{"up", "", "start the daemon where none runs, and print the link to its page", up_details, make_up},
    verb{"down", "", "stop the daemon; running jobs go on", down_details, make_down},
    verb{"ui", "", "open the page in the browser", ui_details, make_ui},
    verb{"token", "", "tokens for those who use the daemon over TCP", token_details, make_token},
    verb{"nodes", "", "the machines that lend their devices", nodes_details, make_nodes},
    verb{"node", "", "drain nodes, let them take work again, or remove them", node_details, make_node},
    verb{"certs", "", "certificates by which nodes know each other", certs_details, make_certs},
    verb{"batches", "", "what runs together, and what would next", batches_details, make_batches},
    verb{"stats", "", "what batching saved, how well times were told, and who used the devices", "", make_stats},
    verb{"types", "", "the job types and their parameters", "", make_types},
    verb{"run", "", "run a job directly, without daemon or queue", run_details, make_run},
    verb{"export", "", "what ran, as a table (CSV) for `ferry simulate`", "", make_export},
    verb{"simulate", "", "play a recorded day through the policy, without a daemon", simulate_details, make_simulate},
    verb{"completion", "", "completions for bash, zsh or fish", completion_details, make_completion},
    verb{"version", "", "the version of ferry", "", make_version},
    verb{"help", "", "this list, or more about a verb", "", make_help},
};

} // namespace

std::span<const verb> all_verbs() { return verbs; }

const verb* find_verb(std::string_view name) {
  for (const verb& v : verbs)
    if (v.name == name || (!v.alias.empty() && v.alias == name))
      return &v;
  return nullptr;
}

} // namespace ferry::cli
