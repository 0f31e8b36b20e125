// What Prometheus reads.
#include "http/monitoring.hpp"
#include "model/version.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::http;

TEST_CASE("three paths outside of the API are for monitoring") {
  CHECK(probe_of("/healthz") == probe::health);
  CHECK(probe_of("/readyz?verbose") == probe::ready);
  CHECK(probe_of("/metrics") == probe::figures);
  CHECK(probe_of("/metrics?x=1") == probe::figures);
  for (const char* other : {"/", "", "/metrics/", "/healthz/x", "/api/v1/metrics", "metrics", "/Metrics"})
    CHECK(probe_of(other) == probe::none);
}

TEST_CASE("the figures of the daemon in the words of Prometheus") {
  daemon_figures figures;
  figures.status.paused = true;
  figures.status.counts = {.queued = 3, .held = 1, .running = 2, .completed = 40, .failed = 5, .cancelled = 6};
  figures.status.held_types = {{"upscale", "a storm"}};
  figures.status.devices = std::make_shared<const scheduling::device_ledger>(
      std::vector<device>{{.id = "GPU-1", .kind = device_kind::gpu, .name = "the \"big\" one", .slots = 2, .memory_mib = 1024},
                          {.id = "cpu", .kind = device_kind::cpu, .name = "host", .slots = 4, .memory_mib = 2048}});
  figures.readings = {{.memory_used_mib = 512, .utilization_percent = 25, .temperature_c = 61}};
  figures.requests[{"GET", "/jobs/*", 200}] = 7;
  figures.requests[{"GET", "/jobs/*", 404}] = 1;
  figures.event_streams = 9;
  figures.started = from_unix_ms(1'700'000'000'500);
  figures.now = from_unix_ms(1'700'000'060'500);
  const auto text = exposition(figures);
  CAPTURE(text);
  const auto has = [&](const std::string& line) { return text.find("\n" + line + "\n") != text.npos; };
  CHECK(has("ferry_jobs{state=\"queued\"} 3"));
  CHECK(has("ferry_jobs{state=\"held\"} 1"));
  CHECK(has("ferry_jobs{state=\"running\"} 2"));
  CHECK(has("ferry_jobs{state=\"completed\"} 40"));
  CHECK(has("ferry_jobs{state=\"failed\"} 5"));
  CHECK(has("ferry_jobs{state=\"cancelled\"} 6"));
  CHECK(has("# TYPE ferry_jobs gauge"));
  CHECK(has("ferry_queue_paused 1"));
  CHECK(has("ferry_job_types_held 1"));
  CHECK(has("ferry_device_info{device=\"GPU-1\",kind=\"gpu\",name=\"the \\\"big\\\" one\"} 1"));
  CHECK(has("ferry_device_slots{device=\"cpu\"} 4"));
  CHECK(has("ferry_device_slots_used{device=\"GPU-1\"} 0"));
  CHECK(has("ferry_device_memory_bytes{device=\"GPU-1\"} 1073741824"));
  CHECK(has("ferry_device_memory_used_bytes{device=\"GPU-1\"} 536870912"));
  CHECK(has("ferry_device_utilization_ratio{device=\"GPU-1\"} 0.25"));
  CHECK(has("ferry_device_temperature_celsius{device=\"GPU-1\"} 61"));
  CHECK(text.find("ferry_device_temperature_celsius{device=\"cpu\"}") == text.npos); // nobody knows it
  CHECK(has("# TYPE ferry_http_requests_total counter"));
  CHECK(has("ferry_http_requests_total{method=\"GET\",route=\"/jobs/*\",status=\"200\"} 7"));
  CHECK(has("ferry_http_requests_total{method=\"GET\",route=\"/jobs/*\",status=\"404\"} 1"));
  CHECK(has("ferry_event_streams 9"));
  CHECK(has("ferry_uptime_seconds 60"));
  CHECK(has(std::string("ferry_build_info{version=\"") + version + "\"} 1"));
}
