//! Tests of the parts that read recordings and examine modems: captures, traces of LuatOS, diagnosis.

mod captures;
mod captures_fixtures;
mod collect;
mod diagnosis_hostile;
mod diagnosis_rules;
mod diagnosis_tls;
mod doctor;
mod hardware_check;
mod logs;
mod logs_causes;
mod logs_connections;
mod logs_diagnosis;
mod logs_forms;
mod logs_hostile;
mod logs_layouts;
mod logs_lines;
mod logs_notations;
mod luat_captures;
mod luat_fixtures;
mod luat_hostile;
mod masked_payload;
mod output_file;
mod page;
mod player;
#[path = "../support/quick_start.rs"]
mod quick_start;
#[path = "../support/random.rs"]
mod random;
mod replay_sessions;
mod session_log;
