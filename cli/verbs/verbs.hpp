// All verbs; one file each.
#pragma once

#include "cli/verb.hpp"

#include <memory>

namespace ferry::cli {

std::unique_ptr<action> make_submit();
std::unique_ptr<action> make_queue();
std::unique_ptr<action> make_list();
std::unique_ptr<action> make_show();
std::unique_ptr<action> make_explain();
std::unique_ptr<action> make_logs();
std::unique_ptr<action> make_wait();
std::unique_ptr<action> make_cancel();
std::unique_ptr<action> make_hold();
std::unique_ptr<action> make_release();
std::unique_ptr<action> make_pause();
std::unique_ptr<action> make_unpause();
std::unique_ptr<action> make_group();
std::unique_ptr<action> make_move();
std::unique_ptr<action> make_priority();
std::unique_ptr<action> make_edit();
std::unique_ptr<action> make_retry();
std::unique_ptr<action> make_suspend();
std::unique_ptr<action> make_resume();
std::unique_ptr<action> make_clear();
std::unique_ptr<action> make_status();
std::unique_ptr<action> make_upload();
std::unique_ptr<action> make_datasets();
std::unique_ptr<action> make_artifacts();
std::unique_ptr<action> make_up();
std::unique_ptr<action> make_down();
std::unique_ptr<action> make_ui();
std::unique_ptr<action> make_token();
std::unique_ptr<action> make_nodes();
std::unique_ptr<action> make_node();
std::unique_ptr<action> make_certs();
std::unique_ptr<action> make_batches();
std::unique_ptr<action> make_stats();
std::unique_ptr<action> make_types();
std::unique_ptr<action> make_run();
std::unique_ptr<action> make_export();
std::unique_ptr<action> make_simulate();
std::unique_ptr<action> make_completion();
std::unique_ptr<action> make_version();
std::unique_ptr<action> make_help();

} // namespace ferry::cli
