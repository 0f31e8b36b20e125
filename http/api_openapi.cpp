// The API about itself.
#include "http/api.hpp"
#include "http/openapi_document.hpp"

namespace ferry::http {

api::reply api::read_openapi(const request& r) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  response answer;
  answer.result(200);
  answer.set(boost::beast::http::field::content_type, "application/json");
  answer.body() = openapi_document();
  co_return answer;
}

} // namespace ferry::http
