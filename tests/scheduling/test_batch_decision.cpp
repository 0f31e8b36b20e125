#include "scheduling/batch_decision.hpp"
#include "tests/support/seeds.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace ferry;
using namespace ferry::scheduling;
using config::device_choice;

namespace {

const device cpu{.id = "cpu", .kind = device_kind::cpu, .name = "host", .slots = 4, .memory_mib = 1000};
const device gpu_a{.id = "GPU-a", .kind = device_kind::gpu, .name = "A", .slots = 1, .memory_mib = 8000};
const device gpu_b{.id = "GPU-b", .kind = device_kind::gpu, .name = "B", .slots = 2, .memory_mib = 8000};

candidate wants(std::int64_t id, demand needs) { return {{.id = {id}, .order_key = id}, needs}; }

// The decision in short: "job@device", or "idle".
std::string decide(const std::vector<candidate>& in_order, const device_ledger& devices) {
  const auto decision = choose_batch(in_order, devices, instant{});
  const auto* chosen = std::get_if<dispatch_batch>(&decision);
  return chosen ? to_string(chosen->jobs.at(0)) + "@" + chosen->place.device : "idle";
}

} // namespace

TEST_CASE("the first job in order starts where there is room") {
  device_ledger devices({cpu});
  CHECK(decide({wants(1, {}), wants(2, {})}, devices) == "1@cpu");
  CHECK(decide({}, devices) == "idle");
}

TEST_CASE("a device is left alone once its slots or its memory are leased") {
  device_ledger devices({cpu});
  devices.grant({1}, {"cpu", 1, 900});
  CHECK(decide({wants(1, {.memory_mib = 200})}, devices) == "idle");
  CHECK(decide({wants(1, {.memory_mib = 100})}, devices) == "1@cpu");
  devices.grant({2}, {"cpu", 3, 0});
  CHECK(decide({wants(1, {})}, devices) == "idle");
  REQUIRE(devices.release({2}, instant{}));
  CHECK(decide({wants(1, {})}, devices) == "1@cpu");
}

TEST_CASE("nothing behind a large job takes the room it waits for") {
  device_ledger devices({cpu});
  devices.grant({1}, {"cpu", 2, 0});
  CHECK(decide({wants(1, {.slots = 3}), wants(2, {.slots = 1})}, devices) == "idle");
  CHECK(decide({wants(2, {.slots = 1}), wants(1, {.slots = 3})}, devices) == "2@cpu");
}

TEST_CASE("a job that waits for a GPU does not hold up the CPU") {
  device_ledger devices({gpu_a, cpu});
  devices.grant({1}, {"GPU-a", 1, 0});
  CHECK(decide({wants(1, {.device = device_choice::gpu}), wants(2, {.device = device_choice::cpu})}, devices) == "2@cpu");
}

TEST_CASE("one lease has no more of a Slurm partition than it allows, and devices of one's own come first") {
  const device slurm{.id = std::string(slurm_device),
                     .kind = device_kind::gpu,
                     .name = "Slurm",
                     .slots = 3,
                     .memory_mib = 3000,
                     .lease_memory_mib_max = 1000};
  const device_ledger alone({slurm});
  CHECK(decide({wants(1, {.memory_mib = 1001})}, alone) == "idle");
  CHECK(decide({wants(1, {.memory_mib = 1000})}, alone) == "1@slurm");
  CHECK(why_unplaceable({slurm}, {.memory_mib = 1001})->find("3 slots and 1000 MiB") != std::string::npos);
  device_ledger both({slurm, gpu_a});
  CHECK(decide({wants(1, {.memory_mib = 1000})}, both) == "1@GPU-a");
  both.grant({1}, {"GPU-a", 1, 0});
  CHECK(decide({wants(1, {.memory_mib = 1000})}, both) == "1@slurm");
  CHECK(decide({wants(1, {.memory_mib = 1001})}, both) == "idle");
}

TEST_CASE("automatic means a GPU where there is one, else the CPU") {
  CHECK(decide({wants(1, {})}, device_ledger({gpu_a, cpu})) == "1@GPU-a");
  CHECK(decide({wants(1, {})}, device_ledger({cpu})) == "1@cpu");
}

TEST_CASE("a job goes only to a device that has the labels it asks for, and holds up no other") {
  device cpu_afar = cpu;
  cpu_afar.id = "alpha:cpu";
  cpu_afar.labels = {{"node", "alpha"}};
  device_ledger devices({cpu, cpu_afar});
  const auto on = [](const char* node) { return std::make_shared<const device_selector>(device_selector{{{"node", node}}}); };
  CHECK(decide({wants(1, {.on = on("alpha")})}, devices) == "1@alpha:cpu");
  CHECK(decide({wants(1, {.on = on("beta")}), wants(2, {})}, devices) != "idle");
  devices.grant({7}, {"alpha:cpu", 4, 0});
  CHECK(decide({wants(1, {.on = on("alpha")}), wants(2, {})}, devices) == "2@cpu");
  CHECK(decide({wants(1, {.on = on("alpha")})}, devices) == "idle");
  CHECK(why_unplaceable({cpu, cpu_afar}, {.on = on("alpha")}) == std::nullopt);
  CHECK(why_unplaceable({cpu, cpu_afar}, {.on = on("beta")})->starts_with("no device that runs it is on node=beta"));
  CHECK(why_unplaceable({gpu_a, cpu_afar}, {.on = on("alpha")}) ==
        "none of the devices on node=alpha is of the kind that it needs");
}

TEST_CASE("of several devices the one with most free slots is taken") {
  device_ledger devices({gpu_a, gpu_b});
  CHECK(decide({wants(1, {})}, devices) == "1@GPU-b");
  devices.grant({1}, {"GPU-b", 1, 4000});
  CHECK(decide({wants(2, {})}, devices) == "2@GPU-a"); // equal slots, more memory
}

namespace {

candidate of_tier(int tier, std::int64_t id, demand needs) {
  auto c = wants(id, needs);
  c.job.tier = static_cast<std::uint8_t>(tier & 0xF);
  return c;
}

std::string preempted(const std::vector<candidate>& in_order, const device_ledger& devices) {
  const auto decision = choose_batch(in_order, devices, instant{});
  std::string text;
  if (const auto* chosen = std::get_if<preempt_batches>(&decision))
    for (const batch_id batch : chosen->batches)
      text += to_string(batch) + " ";
  return text;
}

} // namespace

TEST_CASE("a job of a higher tier gets the room of preemptible batches: the fewest, of the lowest tier, the latest first") {
  device_ledger devices({cpu});
  devices.grant({1}, {.device = "cpu", .slots = 2, .tier = 1, .preemptible = true, .since = from_unix_ms(1)});
  devices.grant({2}, {.device = "cpu", .slots = 1, .tier = 0, .preemptible = true, .since = from_unix_ms(2)});
  devices.grant({3}, {.device = "cpu", .slots = 1, .tier = 0, .preemptible = true, .since = from_unix_ms(3)});
  CHECK(preempted({of_tier(2, 9, {.slots = 1})}, devices) == "3 ");
  CHECK(preempted({of_tier(2, 9, {.slots = 2})}, devices) == "3 2 ");
  CHECK(preempted({of_tier(2, 9, {.slots = 4})}, devices) == "3 2 1 ");
  CHECK(preempted({of_tier(1, 9, {.slots = 4})}, devices).empty()); // its own tier stays
  CHECK(preempted({of_tier(0, 9, {.slots = 1})}, devices).empty());
  devices.leaving({3});
  CHECK(preempted({of_tier(2, 9, {.slots = 1})}, devices).empty()); // its room is on its way
  CHECK(decide({of_tier(2, 9, {.slots = 1}), wants(10, {.slots = 1})}, devices) == "idle");
  CHECK(preempted({of_tier(2, 9, {.slots = 2})}, devices) == "2 ");
  devices.release({3}, instant{});
  CHECK(decide({of_tier(2, 9, {.slots = 1})}, devices) == "9@cpu");
}

TEST_CASE("what is not preemptible keeps its device") {
  device_ledger devices({cpu});
  devices.grant({1}, {.device = "cpu", .slots = 4});
  CHECK(preempted({of_tier(5, 9, {})}, devices).empty());
}

TEST_CASE("a device out of service takes nothing, and gives its jobs to another") {
  device_ledger devices({gpu_a, gpu_b});
  REQUIRE(devices.set_out_of_service("GPU-b", "Xid 79"));
  CHECK_FALSE(devices.set_out_of_service("GPU-b", "Xid 79"));
  CHECK_FALSE(devices.set_out_of_service("no such", "x"));
  CHECK(devices.slots_free() == 1);
  CHECK(decide({wants(1, {})}, devices) == "1@GPU-a");
  devices.grant({1}, {.device = "GPU-a"});
  CHECK(decide({wants(2, {})}, devices) == "idle");
  REQUIRE(devices.set_out_of_service("GPU-b", ""));
  CHECK(decide({wants(2, {})}, devices) == "2@GPU-b");
}

TEST_CASE("what other programs take of a device's memory is not given away, and a job that needs none starts beside them") {
  device_ledger devices({gpu_a});
  REQUIRE(devices.set_memory_taken("GPU-a", 3000));
  CHECK_FALSE(devices.set_memory_taken("GPU-a", 3000));
  CHECK_FALSE(devices.set_memory_taken("no such", 1));
  CHECK(decide({wants(1, {.memory_mib = 5001})}, devices) == "idle");
  CHECK(decide({wants(1, {.memory_mib = 5000})}, devices) == "1@GPU-a");
  REQUIRE(devices.set_memory_taken("GPU-a", 100'000));
  CHECK(devices.accounts()[0].memory_free_mib() == 0);
  CHECK(decide({wants(1, {.memory_mib = 1})}, devices) == "idle");
  CHECK(decide({wants(1, {})}, devices) == "1@GPU-a");
  CHECK(devices.check_invariants() == std::nullopt);
  REQUIRE(devices.set_memory_taken("GPU-a", 0));
  CHECK(decide({wants(1, {.memory_mib = 8000})}, devices) == "1@GPU-a");
}

TEST_CASE("why no device could ever run a job is said with the bounds") {
  CHECK(why_unplaceable({cpu}, {}) == std::nullopt);
  CHECK(why_unplaceable({cpu}, {.device = device_choice::gpu}) == "it needs a GPU and this machine has none");
  CHECK(why_unplaceable({cpu}, {.slots = 5, .memory_mib = 10}) ==
        "it needs 5 slots and 10 MiB on one device; the largest have 4 slots and 1000 MiB");
}

TEST_CASE("leases on devices that are no longer there are kept and count nowhere") {
  device_ledger devices({cpu});
  REQUIRE(devices.grant({7}, {"GPU-gone", 1, 100}));
  CHECK_FALSE(devices.grant({7}, {"cpu", 1, 100}));
  CHECK(devices.slots_free() == 4);
  CHECK(devices.check_invariants() == std::nullopt);
  CHECK(devices.release({7}, instant{}));
  CHECK_FALSE(devices.release({7}, instant{}));
}

TEST_CASE("no sequence of decisions exceeds a device, and the same input gives the same decisions") {
  for (const auto seed : tests::seeds(50)) {
    CAPTURE(seed);
    std::vector<std::string> first_run;
    for (int repeat = 0; repeat < 2; ++repeat) {
      std::mt19937_64 random(seed);
      const auto pick = [&](int least, int most) { return std::uniform_int_distribution<int>(least, most)(random); };
      device_ledger devices({gpu_a, gpu_b, cpu});
      std::vector<batch_id> running;
      std::vector<std::string> decisions;
      std::int64_t batches = 0;
      for (int step = 0; step < 200; ++step) {
        std::vector<candidate> in_order;
        for (int n = pick(0, 6); n > 0; --n)
          in_order.push_back(wants(
              step * 10 + n, {.device = static_cast<device_choice>(pick(0, 2)), .slots = pick(1, 4), .memory_mib = pick(0, 9000)}));
        const auto decision = choose_batch(in_order, devices, instant{});
        if (const auto* chosen = std::get_if<dispatch_batch>(&decision)) {
          running.push_back({++batches});
          REQUIRE(devices.grant(running.back(), chosen->place));
          decisions.push_back(to_string(chosen->jobs[0]) + chosen->place.device);
        } else if (!running.empty()) {
          REQUIRE(devices.release(running.front(), instant{}));
          running.erase(running.begin());
        }
        REQUIRE(devices.check_invariants() == std::nullopt);
        for (const auto& account : devices.accounts()) {
          REQUIRE(account.slots_free() >= 0);
          REQUIRE(account.memory_free_mib() >= 0);
        }
      }
      if (repeat == 0)
        first_run = decisions;
      else
        REQUIRE(decisions == first_run);
    }
  }
}
