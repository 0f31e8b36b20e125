#include "cli/verb.hpp"

int main(int count, char** words) { return ferry::cli::run_command_line({words + 1, words + (count > 0 ? count : 1)}); }
