DROP TABLE usage_shared_daily;
