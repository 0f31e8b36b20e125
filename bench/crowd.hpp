// Several clients at once.
#pragma once

#include "bench/statistics.hpp"

#include <barrier>
#include <exception>
#include <thread>
#include <vector>

namespace ferry::bench {

struct crowd_result {
  double rate = 0; // operations a second, all together
  samples each;
};

// `clients` threads each make a client, then all call theirs again and again for `seconds`. Rethrows what one of them throws.
template <class MakeClient>
crowd_result run_crowd(int clients, double seconds, MakeClient make_client) {
  std::vector<samples> taken(static_cast<std::size_t>(clients));
  std::vector<std::exception_ptr> failures(taken.size());
  std::vector<std::thread> threads;
  std::barrier ready(clients + 1);
  for (std::size_t i = 0; i < taken.size(); ++i)
    threads.emplace_back([&, i] {
      bool arrived = false;
      try {
        auto client = make_client();
        ready.arrive_and_wait();
        arrived = true;
        taken[i] = sample_for(seconds, client);
      } catch (...) {
        failures[i] = std::current_exception();
        if (!arrived)
          ready.arrive_and_drop();
      }
    });
  ready.arrive_and_wait();
  const auto start = clock::now();
  for (std::thread& t : threads)
    t.join();
  const double took = seconds_since(start);
  crowd_result all;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (failures[i])
      std::rethrow_exception(failures[i]);
    all.each.add(taken[i]);
  }
  all.rate = static_cast<double>(all.each.count()) / took;
  return all;
}

} // namespace ferry::bench
