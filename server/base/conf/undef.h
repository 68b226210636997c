/* Undefines the row macros after each use of conf.def. No include guard: it is included often. */
#undef CONF_GROUP
#undef CONF_TEXT
#undef CONF_SECRET
#undef CONF_INT
#undef CONF_SIZE
#undef CONF_BOOL
#undef CONF_CHOICE2
#undef CONF_CHOICE3
#undef CONF_CHOICE4
#undef CONF_SET4
