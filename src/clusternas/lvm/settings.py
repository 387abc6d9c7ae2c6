"""The settings that LVM knows, by section: those of 2.03.16, the deprecated ones included.

From `lvmconfig --typeconfig list --showdeprecated --showunsupported`; an oracle test compares them.
"""

from __future__ import annotations

__all__ = ["SETTINGS"]

_TABLE = {
    "config": """
        checks abort_on_errors profile_dir
    """,
    "devices": """
        dir scan loopfiles obtain_device_list_from_udev external_device_info_source hints
        preferred_names use_devicesfile devicesfile search_for_devnames filter global_filter
        cache cache_dir cache_file_prefix write_cache_state types sysfs_scan scan_lvs
        multipath_component_detection multipath_wwids_file md_component_detection
        md_component_checks fw_raid_component_detection md_chunk_alignment
        default_data_alignment data_alignment_detection data_alignment
        data_alignment_offset_detection ignore_suspended_devices ignore_lvm_mirrors
        disable_after_error_count require_restorefile_with_uuid pv_min_size issue_discards
        allow_changes_with_duplicate_pvs allow_mixed_block_sizes
    """,
    "allocation": """
        cling_tag_list maximise_cling use_blkid_wiping wipe_signatures_when_zeroing_new_lvs
        mirror_logs_require_separate_pvs raid_stripe_all_devices
        cache_pool_metadata_require_separate_pvs cache_pool_cachemode cache_metadata_format
        cache_mode cache_policy cache_pool_chunk_size cache_pool_max_chunks
        thin_pool_metadata_require_separate_pvs thin_pool_crop_metadata thin_pool_zero
        thin_pool_discards thin_pool_chunk_size_policy zero_metadata thin_pool_chunk_size
        physical_extent_size vdo_use_compression vdo_use_deduplication
        vdo_use_metadata_hints vdo_minimum_io_size vdo_block_map_cache_size_mb
        vdo_block_map_period vdo_check_point_frequency vdo_use_sparse_index
        vdo_index_memory_size_mb vdo_slab_size_mb vdo_ack_threads vdo_bio_threads
        vdo_bio_rotation vdo_cpu_threads vdo_hash_zone_threads vdo_logical_threads
        vdo_physical_threads vdo_write_policy vdo_max_discard vdo_pool_header_size
    """,
    "log": """
        report_command_log command_log_sort command_log_cols command_log_selection verbose
        silent syslog file journal overwrite level indent command_names prefix activation
        activate_file debug_classes debug_file_fields debug_output_fields
    """,
    "backup": """
        backup backup_dir archive archive_dir retain_min retain_days
    """,
    "shell": """
        history_size
    """,
    "global": """
        umask test units si_unit_consistency suffix activation fallback_to_lvm1 format
        format_libraries segment_libraries proc etc locking_type wait_for_locks
        fallback_to_clustered_locking fallback_to_local_locking locking_dir
        prioritise_write_locks library_dir locking_library abort_on_internal_errors
        detect_internal_vg_cache_corruption metadata_read_only mirror_segtype_default
        support_mirrored_mirror_log raid10_segtype_default sparse_segtype_default
        lvdisplay_shows_full_device_path event_activation use_lvmetad
        lvmetad_update_wait_time use_aio use_lvmlockd lvmlockd_lock_retries
        sanlock_lv_extend lvmlockctl_kill_command thin_check_executable thin_dump_executable
        thin_repair_executable thin_check_options thin_repair_options thin_disabled_features
        cache_disabled_features cache_check_executable cache_dump_executable
        cache_repair_executable cache_check_options cache_repair_options
        vdo_format_executable vdo_format_options vdo_disabled_features fsadm_executable
        system_id_source system_id_file use_lvmpolld notify_dbus io_memory_size
    """,
    "activation": """
        checks udev_sync udev_rules verify_udev_operations retry_deactivation
        missing_stripe_filler use_linear_target reserved_stack reserved_memory
        process_priority volume_list auto_activation_volume_list read_only_volume_list
        mirror_region_size raid_region_size error_when_full readahead raid_fault_policy
        mirror_image_fault_policy mirror_log_fault_policy mirror_device_fault_policy
        snapshot_autoextend_threshold snapshot_autoextend_percent
        thin_pool_autoextend_threshold thin_pool_autoextend_percent
        vdo_pool_autoextend_threshold vdo_pool_autoextend_percent mlock_filter use_mlockall
        monitoring polling_interval auto_set_activation_skip activation_mode lock_start_list
        auto_lock_start_list
    """,
    "metadata": """
        check_pv_device_sizes record_lvs_history lvs_history_retention_time pvmetadatacopies
        vgmetadatacopies pvmetadatasize pvmetadataignore stripesize dirs
    """,
    "report": """
        output_format compact_output compact_output_cols aligned buffered headings separator
        list_item_separator prefixes quoted columns_as_rows binary_values_as_numeric
        time_format devtypes_sort devtypes_cols devtypes_cols_verbose lvs_sort lvs_cols
        lvs_cols_verbose vgs_sort vgs_cols vgs_cols_verbose pvs_sort pvs_cols
        pvs_cols_verbose segs_sort segs_cols segs_cols_verbose pvsegs_sort pvsegs_cols
        pvsegs_cols_verbose vgs_cols_full pvs_cols_full lvs_cols_full pvsegs_cols_full
        segs_cols_full vgs_sort_full pvs_sort_full lvs_sort_full pvsegs_sort_full
        segs_sort_full mark_hidden_devices two_word_unknown_device
    """,
    "dmeventd": """
        mirror_library raid_library snapshot_library thin_library thin_command vdo_library
        vdo_command executable
    """,
    "tags": """
        hosttags
    """,
    "local": """
        system_id extra_system_ids host_id
    """,
}

SETTINGS: dict[str, frozenset[str]] = {
    section: frozenset(names.split()) for section, names in _TABLE.items()
}
"""Section to the names of its settings; the section `tags` also takes names of one's own."""
