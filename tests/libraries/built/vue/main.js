import { createApp, defineAsyncComponent, h } from 'vue';

// A chunk of its own, which is loaded late.
const List = defineAsyncComponent(() => import('./List.vue'));

createApp({ render: () => h(List) }).mount('#app');
