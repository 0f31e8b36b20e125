// Routes that stand in http/openapi.json before the daemon has them. Whoever adds one to the daemon takes it out here: the tests
// say so.
#pragma once

#include <map>
#include <set>
#include <string>

namespace ferry::tests {

inline const std::set<std::string, std::less<>> coming_routes{};

// Likewise those outside of /api/v1, which the table of routes does not have.
inline const std::set<std::string, std::less<>> coming_pages{};

// Likewise parameters of the query, by operation.
inline const std::map<std::string, std::set<std::string>, std::less<>> coming_parameters{};

} // namespace ferry::tests
