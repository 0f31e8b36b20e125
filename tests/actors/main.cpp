#include "actors/supervisor.hpp"

#include <catch2/catch_session.hpp>

int main(int argc, char** argv) {
  ferry::actors::register_messages();
  return Catch::Session().run(argc, argv);
}
