#include "http/monitoring.hpp"

#include "model/version.hpp"

#include <prometheus/text_serializer.h>

namespace ferry::http {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<prometheus::ClientMetric::Label>;

constexpr double mib = 1024.0 * 1024.0;

void add(MetricFamily& family, labels which, double value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(which);
  (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  family.metric.push_back(std::move(metric));
}

MetricFamily family(const char* name, const char* help, MetricType type = MetricType::Gauge) { return {name, help, type, {}}; }
MetricFamily lone(const char* name, const char* help, double value) {
  auto one = family(name, help);
  add(one, {}, value);
  return one;
}

// All of them gauges: a job that is retried leaves the failed ones, and Prometheus would take a counter that falls for one that
// began anew.
MetricFamily jobs_family(const actors::queue_counts& counts) {
  auto jobs = family("ferry_jobs", "Jobs by state; held ones are queued and may not start; of the ended ones all there ever were");
  const std::pair<const char*, double> states[] = {
      {"queued", static_cast<double>(counts.queued)},   {"held", static_cast<double>(counts.held)},
      {"running", static_cast<double>(counts.running)}, {"completed", static_cast<double>(counts.completed)},
      {"failed", static_cast<double>(counts.failed)},   {"cancelled", static_cast<double>(counts.cancelled)}};
  for (const auto& [state, count] : states)
    add(jobs, {{"state", state}}, count);
  return jobs;
}

// What of a device is not known has no line.
void add_devices(std::vector<MetricFamily>& all, const daemon_figures& figures) {
  auto info = family("ferry_device_info", "1 for each device, with its kind and name");
  auto slots = family("ferry_device_slots", "Batches that may run on the device at once");
  auto slots_used = family("ferry_device_slots_used", "Batches that run on the device");
  auto out_of_service = family("ferry_device_out_of_service", "1: nothing is started on the device");
  auto memory = family("ferry_device_memory_bytes", "Memory that leases may share");
  auto leased = family("ferry_device_memory_leased_bytes", "Memory that jobs and warm workers have leased");
  auto used = family("ferry_device_memory_used_bytes", "Memory in use, by whomever, as the driver says");
  auto foreign = family("ferry_device_memory_foreign_bytes", "Of that, memory of programs that are not ferry's");
  auto busy = family("ferry_device_utilization_ratio", "Share of time in which the device worked, as the driver says");
  auto temperature = family("ferry_device_temperature_celsius", "Temperature, as the driver says");
  const auto accounts =
      figures.status.devices ? figures.status.devices->accounts() : std::vector<scheduling::device_ledger::account>{};
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    const auto& account = accounts[i];
    const labels which{{"device", account.owner.id}};
    add(info, {{"device", account.owner.id}, {"kind", std::string(to_string(account.owner.kind))}, {"name", account.owner.name}},
        1);
    add(slots, which, account.owner.slots);
    add(slots_used, which, account.slots_used);
    add(out_of_service, which, account.out_of_service.empty() ? 0 : 1);
    add(memory, which, static_cast<double>(account.owner.memory_mib) * mib);
    add(leased, which, static_cast<double>(account.memory_leased_mib) * mib);
    const auto reading = i < figures.readings.size() ? figures.readings[i] : device_reading{};
    if (reading.memory_used_mib)
      add(used, which, static_cast<double>(*reading.memory_used_mib) * mib);
    if (reading.memory_foreign_mib)
      add(foreign, which, static_cast<double>(*reading.memory_foreign_mib) * mib);
    if (reading.utilization_percent)
      add(busy, which, *reading.utilization_percent / 100.0);
    if (reading.temperature_c)
      add(temperature, which, *reading.temperature_c);
  }
  for (auto* one : {&info, &slots, &slots_used, &out_of_service, &memory, &leased, &used, &foreign, &busy, &temperature})
    all.push_back(std::move(*one));
}

} // namespace

std::string exposition(const daemon_figures& figures) {
  std::vector<MetricFamily> all;
  auto build = family("ferry_build_info", "1, with the version of the daemon");
  add(build, {{"version", version}}, 1);
  all.push_back(std::move(build));
  all.push_back(lone("ferry_start_time_seconds", "When the daemon was started, as Unix time",
                     static_cast<double>(to_unix_ms(figures.started)) / 1000));
  all.push_back(lone("ferry_uptime_seconds", "Since the daemon was started",
                     static_cast<double>((figures.now - figures.started).count()) / 1000));
  all.push_back(jobs_family(figures.status.counts));
  all.push_back(lone("ferry_queue_paused", "1: nothing new is started", figures.status.paused ? 1 : 0));
  all.push_back(
      lone("ferry_job_types_held", "Job types of which nothing is started", static_cast<double>(figures.status.held_types.size())));
  add_devices(all, figures);
  auto requests = family("ferry_http_requests_total", "Requests of the API that were answered, since the daemon was started",
                         MetricType::Counter);
  for (const auto& [what, count] : figures.requests)
    add(requests, {{"method", what.method}, {"route", what.route}, {"status", std::to_string(what.status)}},
        static_cast<double>(count));
  all.push_back(std::move(requests));
  all.push_back(lone("ferry_event_streams", "Streams of events that are open", static_cast<double>(figures.event_streams)));
  return prometheus::TextSerializer().Serialize(all);
}

} // namespace ferry::http
