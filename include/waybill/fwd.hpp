// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

/// Declares every public type, for headers that only name them. A test compares it with the
/// headers that define them.
namespace waybill {

enum class activity : std::uint8_t;
enum class cause : int;
enum class damaged_store : std::uint8_t;
enum class disposition : std::uint8_t;
enum class errc : int;
enum class fingerprint_scope : std::uint8_t;
enum class item_status : std::uint8_t;
enum class job_seq : std::int64_t;
enum class listing : std::uint8_t;
enum class lane_order : std::uint8_t;
enum class gate : std::uint8_t;
enum class on_item_failure : std::uint8_t;
enum class on_unknown : std::uint8_t;
enum class resolution : std::uint8_t;
enum class source_kind : std::uint8_t;
enum class stage : std::uint8_t;
enum class status : std::uint8_t;
enum class status_class : std::uint8_t;
enum class verification : std::uint8_t;
enum class wait_reason : std::uint8_t;

class alarm;
class automatic;
class background_uploader;
class body_source;
class byte_rate;
class bytes_source;
class clock;
class curl_transport;
class error;
class exchange;
class failure;
class feed;
class file_opener;
class file_root;
class file_source;
class intent;
class item;
class job;
class job_id;
class limit_scope;
class multipart;
class multipart_body;
class pacer;
class pause_options;
class protocol;
class protocol_set;
class put;
class random_batch;
class random_source;
class real_clock;
class real_random;
class registry;
class request_timeouts;
class resumable;
class s3;
class selection;
class session;
class snapshot;
class source_opener;
class sqlite_store;
class store;
class timetable;
class transport;
class tus;
class uploader;
class url;

template <class Executor>
class basic_uploader;

struct added_job;
struct bandwidth_limits;
struct bandwidth_limit;
struct body_span;
struct checkpoint;
struct closed_gate;
struct curl_options;
struct diagnostics;
struct file_fingerprint;
struct file_identity;
struct header_field;
struct hold;
struct item_record;
struct item_snapshot;
struct item_spec;
struct item_state;
struct job_change;
struct job_pause;
struct job_record;
struct job_snapshot;
struct job_spec;
struct job_state;
struct leftover;
struct loaded_job;
struct new_job;
struct options;
struct pace_path;
struct pinned_file;
struct named_protocol;
struct protocol_spec;
struct queued_job;
struct recognition;
struct removed_job;
struct replaced_parts;
struct request;
struct request_limits;
struct response;
struct retry_policy;
struct s3_credentials;
struct store_contents;
struct store_options;
struct store_time;
struct stored_error;
struct totals;
struct transfer_progress;
struct verdict;
struct wanted_file;

namespace detail {

class engine;
class observer_hub;

}  // namespace detail
}  // namespace waybill
