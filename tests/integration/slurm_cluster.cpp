#include "tests/integration/slurm_cluster.hpp"

#include "tests/support/file_text.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

namespace ferry::tests {
namespace {

constexpr const char* programs[] = {"slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo", "scontrol"};

bool is_program(const std::string& name) {
  std::istringstream folders(std::getenv("PATH") ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((folder + "/" + name).c_str(), X_OK) == 0)
      return true;
  return ::access(("/usr/sbin/" + name).c_str(), X_OK) == 0;
}

std::string daemon_program(const std::string& name) {
  return ::access(("/usr/sbin/" + name).c_str(), X_OK) == 0 ? "/usr/sbin/" + name : name;
}

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(socket);
  return ntohs(address.sin_port);
}

void end(int& pid, int signal) {
  if (pid > 0) {
    ::kill(pid, signal);
    wait_for(pid);
  }
  pid = 0;
}

// Of the controller; while that is not there the last words are of the program.
std::string ask(std::vector<std::string> words) { return run_program(words).output; }

} // namespace

std::string slurm_cluster::obstacle() {
  if (::geteuid() != 0)
    return "Slurm's daemon of a node needs root";
  for (const char* name : programs)
    if (!is_program(name))
      return std::string(name) + " is not installed (Debian: slurm-wlm)";
  return {};
}

slurm_cluster::slurm_cluster() : controller_port_(free_port()), node_port_(free_port()) {
  write_configuration();
  ::setenv("SLURM_CONF", (scratch_.path() / "slurm.conf").c_str(), 1);
  start_controller();
  node_ = spawn({daemon_program("slurmd"), "-N", "localhost", "-D"}, scratch_.path() / "slurmd.out", {});
  eventually([] { return ask({"sinfo", "--noheader", "--format=%T"}).starts_with("idle"); });
}

slurm_cluster::~slurm_cluster() {
  for (const char* state : {"PENDING", "RUNNING", "SUSPENDED"})
    (void)run_program({"scancel", "--state=" + std::string(state), "--user=root"});
  end(node_, SIGKILL);
  end(controller_, SIGKILL);
  end_jobs(scratch_.path()); // slurmstepd and what is below it: SLURM_CONF is in their environment
  ::unsetenv("SLURM_CONF");
}

void slurm_cluster::write_configuration() {
  const auto in = [this](const char* name) { return (scratch_.path() / name).string(); };
  for (const char* folder : {"state", "spool"})
    std::filesystem::create_directory(scratch_.path() / folder);
  std::ofstream(in("gres.conf")) << "NodeName=localhost Name=gpu File=/dev/null,/dev/zero\n";
  std::ofstream(in("slurm.conf")) << "ClusterName=ferry\nSlurmctldHost=localhost(127.0.0.1)\nSlurmctldPort=" << controller_port_
                                  << "\nAuthType=auth/none\nCredType=cred/none\nSlurmUser=root\nSlurmdUser=root\nStateSaveLocation="
                                  << in("state") << "\nSlurmdSpoolDir=" << in("spool") << "\nSlurmctldPidFile=" << in("ctld.pid")
                                  << "\nSlurmdPidFile=" << in("slurmd.pid") << "\nSlurmctldLogFile=" << in("ctld.log")
                                  << "\nSlurmdLogFile=" << in("slurmd.log") << R"(
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=50
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=60
MessageTimeout=10
KillWait=3
MinJobAge=300
GresTypes=gpu
NodeName=localhost NodeAddr=127.0.0.1 CPUs=4 RealMemory=2000 Gres=gpu:2 Port=)"
                                  << node_port_ << "\nPartitionName=lab Nodes=localhost Default=YES MaxTime=INFINITE State=UP\n";
}

// So that it has written down what it knows: how Slurm survives its own crashes is not tested here.
void slurm_cluster::stop_controller() { end(controller_, SIGTERM); }

void slurm_cluster::start_controller() {
  controller_ = spawn({daemon_program("slurmctld"), "-D"}, scratch_.path() / "slurmctld.out", {});
  eventually([] { return ask({"scontrol", "ping"}).find("is UP") != std::string::npos; });
}

void slurm_cluster::fail_node() { (void)ask({"scontrol", "update", "nodename=localhost", "state=down", "reason=test"}); }
void slurm_cluster::drain_node() { (void)ask({"scontrol", "update", "nodename=localhost", "state=drain", "reason=test"}); }
void slurm_cluster::resume_node() { (void)ask({"scontrol", "update", "nodename=localhost", "state=resume"}); }

std::string slurm_cluster::jobs() { return ask({"squeue", "--noheader", "--states=all", "--format=%T %i %j"}); }

std::vector<std::string> slurm_cluster::in_state(const std::string& state) {
  std::vector<std::string> ids;
  std::istringstream lines(jobs());
  for (std::string has, id, name; lines >> has >> id >> name;)
    if (has == state)
      ids.push_back(id);
  return ids;
}

int slurm_cluster::starts() const {
  int count = 0;
  std::istringstream lines(text_of(scratch_.path() / "slurmd.log"));
  for (std::string line; std::getline(lines, line);)
    count += line.find("Launching batch job") != std::string::npos ? 1 : 0;
  return count;
}

std::string slurm_cluster::log() const { return text_of(scratch_.path() / "ctld.log") + text_of(scratch_.path() / "slurmd.log"); }

} // namespace ferry::tests
