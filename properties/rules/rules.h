#pragma once

#include "properties/rules.h"

namespace poolproof::properties {

// One function for each rule, in the files of its family; properties/rules.cc is the table.

// exit.cc
Verdict process_exits(const Evidence& evidence);
Verdict exit_status_is_true(const Evidence& evidence);
Verdict output_reaches_eof(const Evidence& evidence);

// workers.cc
Verdict no_worker_outlives_parent(const Evidence& evidence);
Verdict workers_are_daemons(const Evidence& evidence);
Verdict no_zombie_left(const Evidence& evidence);
Verdict worker_count_is_bounded(const Evidence& evidence);
Verdict default_worker_count(const Evidence& evidence);
Verdict task_quota_is_kept(const Evidence& evidence);
Verdict daemons_have_no_children(const Evidence& evidence);
Verdict active_children_are_true(const Evidence& evidence);

// tasks.cc
Verdict no_task_lost(const Evidence& evidence);
Verdict no_task_runs_twice(const Evidence& evidence);
Verdict nothing_starts_after_terminate(const Evidence& evidence);
Verdict worker_death_is_reported(const Evidence& evidence);
Verdict errors_leave_the_pool_usable(const Evidence& evidence);
Verdict timeouts_are_kept(const Evidence& evidence);

// callbacks.cc
Verdict callbacks_run_once(const Evidence& evidence);

// cancel.cc
Verdict cancel_is_true(const Evidence& evidence);
Verdict output_is_written(const Evidence& evidence);

// readiness.cc
Verdict readiness_is_true(const Evidence& evidence);

// truth.cc
Verdict order_is_kept(const Evidence& evidence);
Verdict outcome_is_true(const Evidence& evidence);

// states.cc
Verdict submit_after_close_is_refused(const Evidence& evidence);
Verdict join_before_close_is_refused(const Evidence& evidence);
Verdict bad_count_is_refused(const Evidence& evidence);
Verdict legal_calls_are_taken(const Evidence& evidence);
Verdict endings_are_idempotent(const Evidence& evidence);
Verdict terminate_is_prompt(const Evidence& evidence);
Verdict close_drains(const Evidence& evidence);
Verdict dropped_pool_is_released(const Evidence& evidence);
Verdict scope_ends_the_pool(const Evidence& evidence);

// forks.cc
Verdict forked_child_does_no_harm(const Evidence& evidence);
Verdict running_pool_keeps_its_workers(const Evidence& evidence);

// programs.cc
Verdict foreign_processes_are_left_alone(const Evidence& evidence);

// isolation.cc
Verdict main_is_left_as_it_was(const Evidence& evidence);

// input.cc
Verdict input_stays_mains(const Evidence& evidence);

// resources.cc
Verdict no_descriptor_left(const Evidence& evidence);
Verdict no_shared_memory_left(const Evidence& evidence);
Verdict no_file_left(const Evidence& evidence);
Verdict no_thread_left(const Evidence& evidence);

// progress.cc
Verdict no_deadlock(const Evidence& evidence);
Verdict no_respawn_storm(const Evidence& evidence);
Verdict no_livelock(const Evidence& evidence);
Verdict recoverable_from_anywhere(const Evidence& evidence);

}  // namespace poolproof::properties
