// A daemon whose requests and answers are held against the document that it serves of them (GET /openapi.json).
#pragma once

#include "tests/integration/daemon_process.hpp"
#include "tests/integration/raw_http.hpp"

#include <optional>
#include <set>

namespace ferry::tests {

class described_api {
public:
  explicit described_api(const daemon_process& daemon);

  struct operation {
    std::string method, path; // "GET", "/jobs/{id}/log"
    const json& what;
    [[nodiscard]] std::string id() const { return what.at("operationId"); }
    // "GET /jobs/{}/log"
    [[nodiscard]] std::string route() const;
  };
  // Those below /api/v1.
  [[nodiscard]] std::vector<operation> operations() const;
  // The one that a request belongs to; fails the test where there is none.
  [[nodiscard]] operation find(const std::string& method, const std::string& target) const;

  // Sends a request, which may be a wrong one, and checks that the document knows its answer: the status, the media type, each
  // field.
  raw_answer ask(const std::string& method, const std::string& target, const std::string& body = {},
                 const std::vector<std::string>& headers = {});
  // One that must succeed, and whose body and parameters the document must know as well. What it answers, where that is JSON.
  json succeed(const std::string& method, const std::string& target, const json& body = nullptr);
  // The operations that were asked for with success.
  [[nodiscard]] const std::set<std::string>& asked() const { return asked_; }

  // Why the value does not fit the schema; empty: it fits. `is_whole`: nor may it have fields that the schema does not name.
  [[nodiscard]] std::string misfit(const json& schema, const json& value, bool is_whole) const;
  // What stands there, or what a {"$ref"} there stands for.
  [[nodiscard]] const json& resolved(const json& one) const;
  // The schema with all that it refers to in place.
  [[nodiscard]] json expanded(const json& schema, bool is_whole) const;

private:
  std::filesystem::path socket_;
  json document_;
  std::set<std::string> asked_;
};

} // namespace ferry::tests
