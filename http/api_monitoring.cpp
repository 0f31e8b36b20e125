// Health, readiness, figures.
#include "http/api.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

namespace ferry::http {
namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using namespace std::chrono_literals;
using actors::actor_handles;

namespace {

constexpr auto ready_within = 2s; // else the queue is not there for anyone

response text_response(unsigned status, std::string text) {
  response answer;
  answer.result(status);
  answer.set(beast_http::field::content_type, "text/plain; charset=utf-8");
  answer.body() = std::move(text);
  return answer;
}

} // namespace

struct api::queue_question {
  explicit queue_question(const asio::any_io_executor& executor) : patience(executor, ready_within) {}
  asio::steady_timer patience;
  bool is_answered = false;
};

// On its own, for nobody can take back what an actor was asked.
asio::awaitable<void> api::ask_queue(std::shared_ptr<queue_question> question) {
  actors::read_queue first{.offset = 0, .limit = 1};
  const auto page = co_await ask<result<actors::queue_page>>(&actor_handles::queue, first);
  question->is_answered = page.has_value();
  question->patience.expires_at(asio::steady_timer::time_point::min()); // also where it is not waited for yet
}

asio::awaitable<bool> api::is_ready() {
  const auto executor = co_await asio::this_coro::executor;
  const auto question = std::make_shared<queue_question>(executor);
  asio::co_spawn(executor, ask_queue(question), asio::detached);
  boost::system::error_code ignored;
  co_await question->patience.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return question->is_answered;
}

asio::awaitable<response> api::answer_probe(probe which, beast_http::verb method) {
  if (method != beast_http::verb::get && method != beast_http::verb::head)
    co_return method_refusal(beast_http::to_string(method), "GET, HEAD");
  if (which == probe::health)
    co_return text_response(200, "ok\n");
  if (which == probe::ready) {
    const bool ready = co_await is_ready();
    co_return text_response(ready ? 200 : 503, ready ? "ready\n" : "the queue does not answer\n");
  }
  const auto handles = parts_.handles();
  if (!handles)
    co_return error_response(restarting());
  const daemon_figures figures{handles->board->read(), readings(),     requests_.all(),
                               hub_->streams(),        parts_.started, wall_clock_now()};
  auto answer = text_response(200, exposition(figures));
  answer.set(beast_http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
  co_return answer;
}

} // namespace ferry::http
