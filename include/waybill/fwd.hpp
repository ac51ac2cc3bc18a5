// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Declares every public type, for headers that only name them.
namespace waybill {

enum class activity : unsigned char;
enum class cause : int;
enum class disposition : unsigned char;
enum class errc : int;
enum class item_status : unsigned char;
enum class on_unknown : unsigned char;
enum class resolution : unsigned char;
enum class status : unsigned char;
enum class verification : unsigned char;
enum class wait_reason : unsigned char;

class alarm;
class background_uploader;
class body_source;
class clock;
class error;
class failure;
class feed;
class item;
class job;
class job_id;
class multipart;
class multipart_body;
class protocol;
class put;
class random_source;
class registry;
class session;
class snapshot;
class source_opener;
class store;
class transport;
class tus;
class uploader;
class url;

struct checkpoint;
struct curl_options;
struct diagnostics;
struct engine_options;
struct item_snapshot;
struct job_snapshot;
struct options;
struct protocol_spec;
struct request;
struct request_limits;
struct response;
struct retry_policy;
struct store_options;
struct totals;

}  // namespace waybill
